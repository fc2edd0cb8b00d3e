"""Int8 for the layers that it harms least."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.calibration import CalibratedInt8
from search.contract.recipes.config import TECHNIQUE
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("mixed_int8")
class MixedInt8(CalibratedInt8):
    """Static int8 but for ``float_share`` of the layers: those that harm the logits of the calibration images most when
    one layer at a time is quantized (https://arxiv.org/abs/2004.09602, section 5.1).
    """

    technique: Literal["mixed_int8"] = Field(default="mixed_int8", description=TECHNIQUE)
    float_share: float = Field(default=0.25, gt=0, lt=1, description="fraction of layers that stay in float32")
