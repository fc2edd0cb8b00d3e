"""Unstructured pruning across the whole network."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, StepConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("global_pruning")
class GlobalPruning(StepConfig):
    """Zeroes ``ratio`` of all weights of the network, wherever the smallest by absolute value (L1) are."""

    technique: Literal["global_pruning"] = Field(default="global_pruning", description=TECHNIQUE)
    ratio: float = Field(default=0.5, gt=0, lt=1, description="fraction of all weights zeroed")
