"""Training for a quantization that follows."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import LEARNING_RATE_FRACTION, TECHNIQUE, TrainingConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("quantization_aware_training")
class QuantizationAwareTraining(TrainingConfig):
    """Fine-tuning in which weights and activations are rounded as static int8 will round them, with gradients as if
    they were not (https://arxiv.org/abs/1712.05877).
    """

    technique: Literal["quantization_aware_training"] = Field(
        default="quantization_aware_training", description=TECHNIQUE
    )
    learning_rate_fraction: float = Field(default=0.1, gt=0, le=1, description=LEARNING_RATE_FRACTION)
