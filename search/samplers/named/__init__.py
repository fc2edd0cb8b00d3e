"""The samplers that a study may name: every file of this folder registers one, or several of Optuna's.

A factory imports what it needs when it is called: the server checks names, and its image lacks SciPy.
"""

from typing import Annotated

from search.contract.registered import NameIn
from search.registry import import_files
from search.samplers.named.registry import SAMPLERS, SamplerInputs

import_files(__name__)

SamplerName = Annotated[str, NameIn(SAMPLERS)]

__all__ = ["SAMPLERS", "SamplerInputs", "SamplerName"]
