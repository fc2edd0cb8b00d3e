"""Techniques that store or compute the numbers of the exported file with fewer bits."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, StepConfig

Calibration = Literal["minmax", "percentile", "entropy"]


class DynamicInt8(StepConfig):
    """Int8 weights of linear layers, activations quantized while running (by ONNX Runtime)."""

    technique: Literal["dynamic_int8"] = Field(default="dynamic_int8", description=TECHNIQUE)


class _CalibratedInt8(StepConfig):
    calibration_images: int = Field(
        default=128, ge=8, le=100_000, description="images of the training split from which ranges are taken"
    )
    calibration: Calibration = Field(
        default="minmax",
        description="a tensor's range: minmax takes all its values, percentile 99.999% of them, entropy the range whose"
        " rounding changes their distribution least",
    )


class StaticInt8(_CalibratedInt8):
    """Int8 weights per channel and int8 activations, with ranges from images of the training split (QDQ format)."""

    technique: Literal["static_int8"] = Field(default="static_int8", description=TECHNIQUE)


class MixedInt8(_CalibratedInt8):
    """Static int8 but for ``float_share`` of the layers: those that harm the logits of the calibration images most when
    one layer at a time is quantized (https://arxiv.org/abs/2004.09602, section 5.1).
    """

    technique: Literal["mixed_int8"] = Field(default="mixed_int8", description=TECHNIQUE)
    float_share: float = Field(default=0.25, gt=0, lt=1, description="fraction of layers that stay in float32")


class HalfPrecision(StepConfig):
    """Weights of 16 bits in the file: half the size. Runtimes widen them when they load it and compute in float32."""

    technique: Literal["half_precision"] = Field(default="half_precision", description=TECHNIQUE)
    format: Literal["float16", "bfloat16"] = Field(
        default="float16", description="float16 is the more precise, bfloat16 has float32's range"
    )


#: What works on the exported file.
QUANTIZATIONS = (DynamicInt8, StaticInt8, MixedInt8, HalfPrecision)
