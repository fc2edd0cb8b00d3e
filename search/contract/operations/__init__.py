"""The operations that a policy may name: each file here registers some. The workers do their arithmetic."""

from search.contract.operations.registry import OPERATIONS
from search.registry import import_files

import_files(__name__)

__all__ = ["OPERATIONS"]
