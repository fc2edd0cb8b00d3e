"""What the int8 techniques that look at calibration images have in common."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import FileStepConfig

Calibration = Literal["minmax", "percentile", "entropy"]


class CalibratedInt8(FileStepConfig):
    """Int8 with ranges from calibration images."""

    calibration_images: int = Field(
        default=128, ge=8, le=100_000, description="images of the training split from which ranges are taken"
    )
    calibration: Calibration = Field(
        default="minmax",
        description="a tensor's range: minmax takes all its values, percentile 99.999% of them, entropy the range whose"
        " rounding changes their distribution least",
    )
