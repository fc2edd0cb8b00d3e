"""Distillation: training with a teacher."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, TrainingConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("distillation")
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
        description="path of an ONNX classifier of the same classes; none means the study's teacher, or else"
        " its trial with the best F1",
    )
