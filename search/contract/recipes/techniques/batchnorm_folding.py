"""Folding of batch normalizations."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, StepConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("batchnorm_folding")
class BatchNormFolding(StepConfig):
    """Multiplies batch normalizations into the convolutions before them: the same function with fewer layers.

    Runtimes do this with a file by themselves; eager PyTorch does not.
    """

    technique: Literal["batchnorm_folding"] = Field(default="batchnorm_folding", description=TECHNIQUE)
