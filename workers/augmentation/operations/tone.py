"""Operations that look at one grey level at a time: whole numbers, so both executors agree exactly."""

import math
from types import ModuleType

import torch
from torch import Tensor

from workers.augmentation.kinds import Drawn, PixelDefinition
from workers.augmentation.library import Transform, through
from workers.augmentation.operations.registry import OPERATIONS


def _solarize(pixels: Tensor, drawn: Drawn) -> Tensor:
    """Invert the levels from the threshold, 256 minus the value, up. (XOR with 255 inverts; it outruns ``where``.)"""
    above = pixels >= 256 - drawn.per_pixel()
    return pixels ^ (above.to(torch.uint8) * 255)


def _solarize_transform(library: ModuleType, value: float) -> Transform:
    threshold = math.ceil(256 - value)
    between = max(threshold - 0.5, 0.0) / 255  # between two levels, where rounding cannot change the comparison
    transform: Transform = (
        library.NoOp() if threshold == 256 else library.Solarize(threshold_range=(between, between), p=1)
    )
    return transform


def _posterize(pixels: Tensor, drawn: Drawn) -> Tensor:
    """Clear as many of the low bits as the value says, rounded."""
    bits = drawn.per_pixel().round().to(torch.uint8)
    return (pixels >> bits) << bits


def _posterize_transform(library: ModuleType, value: float) -> Transform:
    bits = 8 - round(value)
    transform: Transform = library.NoOp() if bits == 8 else library.Posterize(num_bits=(bits, bits), p=1)
    return transform


OPERATIONS.add("Identity", PixelDefinition(batch=lambda pixels, drawn: pixels, single=lambda image, drawn: image))
OPERATIONS.add(
    "Invert",
    PixelDefinition(
        batch=lambda pixels, drawn: 255 - pixels, single=through(lambda library, value: library.InvertImg(p=1))
    ),
)
OPERATIONS.add("Solarize", PixelDefinition(full=256.0, batch=_solarize, single=through(_solarize_transform)))
OPERATIONS.add("Posterize", PixelDefinition(full=4.0, batch=_posterize, single=through(_posterize_transform)))
