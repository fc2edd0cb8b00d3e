"""Int8 weights, activations quantized while running."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, FileStepConfig
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("dynamic_int8")
class DynamicInt8(FileStepConfig):
    """Int8 weights of linear layers, activations quantized while running (by ONNX Runtime)."""

    technique: Literal["dynamic_int8"] = Field(default="dynamic_int8", description=TECHNIQUE)
