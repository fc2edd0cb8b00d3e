"""The decoders: every file of this folder registers one."""

from search.registry import import_files
from workers.data.decoders.registry import DECODERS

import_files(__name__)

__all__ = ["DECODERS"]
