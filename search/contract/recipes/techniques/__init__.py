"""The techniques that a recipe may name: each file of this folder registers the config class of one.

The functions that carry them out are in the workers.
"""

from search.contract.recipes.techniques.registry import TECHNIQUES
from search.registry import import_files

import_files(__name__)

__all__ = ["TECHNIQUES"]
