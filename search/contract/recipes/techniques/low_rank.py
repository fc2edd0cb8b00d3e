"""Low-rank layers."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, StepConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("low_rank")
class LowRank(StepConfig):
    """Splits layers where that lowers their multiply-accumulates: linear ones in two by a singular value decomposition,
    convolutions with a kernel over 2 in three by Tucker-2 (https://arxiv.org/abs/1511.06530).
    """

    technique: Literal["low_rank"] = Field(default="low_rank", description=TECHNIQUE)
    energy: float = Field(default=0.9, gt=0, le=1, description="fraction of the sum of squared singular values kept")
