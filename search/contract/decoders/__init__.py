"""The decoders that a data set's spec may name: each file here registers one. The workers decode with them."""

from search.contract.decoders.registry import DECODERS
from search.registry import import_files

import_files(__name__)

__all__ = ["DECODERS"]
