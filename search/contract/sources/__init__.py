"""The sources that a data set's spec may name: each file of this folder registers one. The workers read them."""

from search.contract.sources.registry import SOURCES
from search.registry import import_files

import_files(__name__)

__all__ = ["SOURCES"]
