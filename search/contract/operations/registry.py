"""What a policy has to know of an operation, and the operations by name."""

from dataclasses import dataclass
from typing import Literal

from search.registry import Registry


@dataclass(frozen=True, kw_only=True)
class OperationTraits:
    """``applied_to``: an image, when it is one of the ``max_ops`` that are drawn for it; an image on its own account,
    outside of them (``flip``); or a ``batch``, whose images are mixed with each other, and their labels too.
    ``has_magnitude``: False where it does one thing only.
    """

    applied_to: Literal["image", "flip", "batch"] = "image"
    has_magnitude: bool = True


#: In the order of the TACO competition: a seeded search draws them in it.
OPERATIONS = Registry[OperationTraits](
    "operation",
    order=(
        "Identity",
        "Invert",
        "Contrast",
        "AutoContrast",
        "Rotate",
        "TranslateX",
        "TranslateY",
        "Cutout",
        "Brightness",
        "Equalize",
        "Solarize",
        "Posterize",
        "Sharpness",
        "ShearX",
        "ShearY",
        "Color",
        "HorizontalFlip",
        "VerticalFlip",
        "MixUp",
        "CutMix",
    ),
)
