"""Unstructured pruning, a fraction per type of layer."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, StepConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("unstructured_pruning")
class UnstructuredPruning(StepConfig):
    """Zeroes the smallest weights by absolute value (L1) in each layer, a fraction per type of layer.

    https://arxiv.org/abs/1506.02626. The zeros make the file compress better; dense kernels are not faster for them.
    """

    technique: Literal["unstructured_pruning"] = Field(default="unstructured_pruning", description=TECHNIQUE)
    conv: float = Field(default=0.5, ge=0, lt=1, description="fraction of weights zeroed in plain convolutions")
    pointwise: float = Field(default=0.4, ge=0, lt=1, description="fraction of weights zeroed in 1x1 convolutions")
    depthwise: float = Field(
        default=0.2, ge=0, lt=1, description="fraction of weights zeroed in depthwise convolutions"
    )
    linear: float = Field(default=0.5, ge=0, lt=1, description="fraction of weights zeroed in linear layers")
