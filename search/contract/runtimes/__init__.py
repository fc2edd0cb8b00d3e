"""The runtimes that a target may name: every file of this folder registers some. The workers run models in them."""

from search.contract.runtimes.registry import TARGET_RUNTIMES
from search.registry import import_files

import_files(__name__)

__all__ = ["TARGET_RUNTIMES"]
