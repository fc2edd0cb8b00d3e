"""Techniques that train what the ones before have left, and folding, which ends the need of batch statistics."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import StepConfig, TrainingConfig


class FineTuning(TrainingConfig):
    """Trains what is left. Pruned weights stay zero."""

    technique: Literal["fine_tuning"] = "fine_tuning"


class Distillation(TrainingConfig):
    """Fine-tuning that also follows a teacher's softened answers (https://arxiv.org/abs/1503.02531).

    ``weight`` is the teacher's share of the loss, ``temperature`` what both logits are divided by for it. ``teacher``
    is the path of an ONNX classifier of the same classes that takes float pixels in [0, 1]; none means the model of the
    study's trial with the best F1.
    """

    technique: Literal["distillation"] = "distillation"
    temperature: float = Field(default=4.0, gt=0, le=100)
    weight: float = Field(default=0.5, gt=0, le=1)
    teacher: str | None = Field(default=None, min_length=1, max_length=1000)


class QuantizationAwareTraining(TrainingConfig):
    """Fine-tuning in which weights and activations are rounded as static int8 will round them, with gradients as if
    they were not (https://arxiv.org/abs/1712.05877).
    """

    technique: Literal["quantization_aware_training"] = "quantization_aware_training"
    learning_rate_fraction: float = Field(default=0.1, gt=0, le=1)


class BatchNormFolding(StepConfig):
    """Multiplies batch normalizations into the convolutions before them: the same function with fewer layers.

    Runtimes do this with a file by themselves; eager PyTorch does not.
    """

    technique: Literal["batchnorm_folding"] = "batchnorm_folding"
