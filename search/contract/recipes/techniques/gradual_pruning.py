"""Unstructured pruning during a training."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, TrainingConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("gradual_pruning")
class GradualPruning(TrainingConfig):
    """Global pruning in a training: the zeroed fraction rises to ``ratio`` along a cubic curve over two thirds of the
    epochs (https://arxiv.org/abs/1710.01878).
    """

    technique: Literal["gradual_pruning"] = Field(default="gradual_pruning", description=TECHNIQUE)
    ratio: float = Field(default=0.7, gt=0, lt=1, description="fraction of all weights zeroed in the end")
