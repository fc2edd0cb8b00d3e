"""Techniques that train what the ones before have left, and folding, which ends the need of batch statistics."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import LEARNING_RATE_FRACTION, TECHNIQUE, StepConfig, TrainingConfig


class FineTuning(TrainingConfig):
    """Trains what is left. Pruned weights stay zero."""

    technique: Literal["fine_tuning"] = Field(default="fine_tuning", description=TECHNIQUE)


class Distillation(TrainingConfig):
    """Fine-tuning that also follows a teacher's softened answers (https://arxiv.org/abs/1503.02531).

    A ``teacher`` from a file takes float pixels in [0, 1].
    """

    technique: Literal["distillation"] = Field(default="distillation", description=TECHNIQUE)
    temperature: float = Field(
        default=4.0, gt=0, le=100, description="what the logits of both are divided by before they are compared"
    )
    weight: float = Field(
        default=0.5, gt=0, le=1, description="the teacher's weight in the loss; the labels get the rest"
    )
    teacher: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="path of an ONNX classifier of the same classes; none means the study's trial with the best F1",
    )


class QuantizationAwareTraining(TrainingConfig):
    """Fine-tuning in which weights and activations are rounded as static int8 will round them, with gradients as if
    they were not (https://arxiv.org/abs/1712.05877).
    """

    technique: Literal["quantization_aware_training"] = Field(
        default="quantization_aware_training", description=TECHNIQUE
    )
    learning_rate_fraction: float = Field(default=0.1, gt=0, le=1, description=LEARNING_RATE_FRACTION)


class BatchNormFolding(StepConfig):
    """Multiplies batch normalizations into the convolutions before them: the same function with fewer layers.

    Runtimes do this with a file by themselves; eager PyTorch does not.
    """

    technique: Literal["batchnorm_folding"] = Field(default="batchnorm_folding", description=TECHNIQUE)
