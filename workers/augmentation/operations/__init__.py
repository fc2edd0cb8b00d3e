"""The operations of policies: every file of this folder registers some."""

from search.registry import import_files
from workers.augmentation.operations.registry import OPERATIONS

import_files(__name__)

__all__ = ["OPERATIONS"]
