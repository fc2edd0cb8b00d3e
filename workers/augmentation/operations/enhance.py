"""Operations that move an image away from a plain version of itself, or towards it: by a factor of 1 + value.

The plain version is black for Brightness, the mean grey for Contrast, the grey image for Color and the smoothed image
for Sharpness, as in Pillow (https://pillow.readthedocs.io/en/stable/reference/ImageEnhance.html).
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from workers.augmentation.kinds import Drawn, Image, PixelDefinition
from workers.augmentation.library import albumentations, through
from workers.augmentation.operations.registry import OPERATIONS

_FULL = 0.9
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in Pillow and OpenCV
_AT_REST = {"brightness": (1.0, 1.0), "contrast": (1.0, 1.0), "saturation": (1.0, 1.0), "hue": (0.0, 0.0)}


def to_levels(levels: Tensor) -> Tensor:
    """Float grey levels, rounded and cut off in place, as uint8."""
    return levels.round_().clamp_(0, 255).to(torch.uint8)


def _luma(levels: Tensor) -> Tensor:
    """The grey of RGB levels [..., 3] as [..., 1]."""
    red, green, blue = levels.unbind(-1)
    return (red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]).unsqueeze(-1)


def _brightness(pixels: Tensor, drawn: Drawn) -> Tensor:
    return to_levels(pixels * (1 + drawn.per_pixel()))


def _contrast(pixels: Tensor, drawn: Drawn) -> Tensor:
    levels = pixels.float()
    mean = _luma(levels.mean((1, 2), keepdim=True))
    return to_levels(levels * (1 + drawn.per_pixel()) - mean * drawn.per_pixel())


def _color(pixels: Tensor, drawn: Drawn) -> Tensor:
    levels = pixels.float()
    return to_levels(levels * (1 + drawn.per_pixel()) - _luma(levels) * drawn.per_pixel())


def _sharpness(pixels: Tensor, drawn: Drawn) -> Tensor:
    """Smoothing weighs the pixel 5 and its neighbours 1, of 13; pixels at the border have too few and stay."""
    levels = pixels.to(torch.int16)  # a sum of 9 levels fits
    rows = levels[:, :-2] + levels[:, 1:-1] + levels[:, 2:]
    block = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]  # the pixel and its neighbours, added up
    weight = drawn.per_pixel() / 13
    sharpened = pixels.clone()
    sharpened[:, 1:-1, 1:-1] = to_levels(levels[:, 1:-1, 1:-1] * (1 + 9 * weight) - block * weight)
    return sharpened


def _sharpness_single(image: Image, drawn: Drawn) -> Image:
    smoothing = np.ones((3, 3), np.float32)
    smoothing[1, 1] = 5
    kernel = -drawn.value.item() / 13 * smoothing
    kernel[1, 1] += 1 + drawn.value.item()
    filtered = albumentations().Sharpen().apply(image, alpha=1.0, sharpening_matrix=kernel)
    sharpened = image.copy()
    sharpened[1:-1, 1:-1] = filtered[1:-1, 1:-1]
    return sharpened


def _jitter(parameter: str) -> Callable[[Image, Drawn], Image]:
    """ColorJitter with all its parameters but one at rest."""
    return through(lambda library, value: library.ColorJitter(**{**_AT_REST, parameter: (1 + value, 1 + value)}, p=1))


OPERATIONS.add("Brightness", PixelDefinition(full=_FULL, signed=True, batch=_brightness, single=_jitter("brightness")))
OPERATIONS.add("Contrast", PixelDefinition(full=_FULL, signed=True, batch=_contrast, single=_jitter("contrast")))
OPERATIONS.add("Color", PixelDefinition(full=_FULL, signed=True, batch=_color, single=_jitter("saturation")))
OPERATIONS.add("Sharpness", PixelDefinition(full=_FULL, signed=True, batch=_sharpness, single=_sharpness_single))
