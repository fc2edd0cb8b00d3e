"""Int8 weights and activations."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.calibration import CalibratedInt8
from search.contract.recipes.config import TECHNIQUE
from search.contract.recipes.techniques.registry import TECHNIQUES


@TECHNIQUES.register("static_int8")
class StaticInt8(CalibratedInt8):
    """Int8 weights per channel and int8 activations, with ranges from images of the training split (QDQ format)."""

    technique: Literal["static_int8"] = Field(default="static_int8", description=TECHNIQUE)
