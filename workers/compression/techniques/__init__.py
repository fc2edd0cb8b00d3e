"""The techniques: every file of this folder registers the function of one."""

from search.registry import import_files
from workers.compression.techniques.registry import FILE_TECHNIQUES, NETWORK_TECHNIQUES

import_files(__name__)

__all__ = ["FILE_TECHNIQUES", "NETWORK_TECHNIQUES"]
