"""Fine-tuning."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, TrainingConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("fine_tuning")
class FineTuning(TrainingConfig):
    """Trains what is left. Pruned weights stay zero."""

    technique: Literal["fine_tuning"] = Field(default="fine_tuning", description=TECHNIQUE)
