"""Structured pruning: whole channels."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, StepConfig
from search.contract.recipes.techniques.registry import TECHNIQUES

Importance = Literal["magnitude", "batchnorm", "taylor"]
PruningScope = Literal["group", "global"]


@TECHNIQUES.register("structured_pruning")
class StructuredPruning(StepConfig):
    """Removes the least important channels with all that depends on them (DepGraph, https://arxiv.org/abs/2301.12900).

    ``importance``: batchnorm is from https://arxiv.org/abs/1708.06519, taylor from https://arxiv.org/abs/1906.10771.
    The remaining channels of each layer are a multiple of 8, and the classifier is kept.
    """

    technique: Literal["structured_pruning"] = Field(default="structured_pruning", description=TECHNIQUE)
    ratio: float = Field(default=0.3, gt=0, lt=1, description="fraction of channels removed")
    importance: Importance = Field(
        default="magnitude",
        description="a channel's importance: the size of its weights, its batch normalization's scale, or (taylor) the"
        " change of the loss without it, estimated from gradients",
    )
    scope: PruningScope = Field(
        default="group", description="group: ratio of each group of layers; global: of all channels, wherever they are"
    )
