"""The blocks: every file of this folder registers some."""

from search.registry import import_files
from workers.models.blocks.registry import BLOCKS

import_files(__name__)

__all__ = ["BLOCKS"]
