"""Weights of 16 bits."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, FileStepConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("half_precision")
class HalfPrecision(FileStepConfig):
    """Weights of 16 bits in the file: half the size. Runtimes widen them when they load it and compute in float32."""

    technique: Literal["half_precision"] = Field(default="half_precision", description=TECHNIQUE)
    format: Literal["float16", "bfloat16"] = Field(
        default="float16", description="float16 is the more precise, bfloat16 has float32's range"
    )
