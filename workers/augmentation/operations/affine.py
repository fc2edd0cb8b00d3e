"""Rotation, shears and translations: one affine map an image, so that it is resampled once; black comes in.

As albumentations composes it, about the image's centre: first the rotation (counter-clockwise), then both shears (x
loses its slope times y, y its slope times x), then the shift, in whole pixels. Coordinates are (x, y), y down.
"""

import math
from dataclasses import dataclass, fields
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.augmentation.kinds import AffineDefinition, Image
from workers.augmentation.library import Transform, albumentations
from workers.augmentation.operations.enhance import to_levels
from workers.augmentation.operations.registry import OPERATIONS


@dataclass(frozen=True, kw_only=True)
class AffineMap:
    """The maps of n images, float [n] each; shears as slopes, shifts as fractions of the side. All 0: no change."""

    rotation_deg: Tensor
    shear_x: Tensor
    shear_y: Tensor
    shift_x: Tensor
    shift_y: Tensor

    def select(self, index: Tensor) -> "AffineMap":
        return AffineMap(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def warp(pixels: Tensor, affine: AffineMap) -> Tensor:
    """Resample bilinearly: each pixel of the result asks where it came from, by the inverse of its image's map.

    Coordinates are grid_sample's, of pixel centres: 0 in the image's middle, and a pixel is 2 / side wide.
    """
    side_px = pixels.shape[1]
    centres = (2 * torch.arange(side_px, device=pixels.device) + 1) / side_px - 1
    x = centres.view(1, 1, -1) - _shift(affine.shift_x, side_px)
    y = centres.view(1, -1, 1) - _shift(affine.shift_y, side_px)
    x_of_x, x_of_y, y_of_x, y_of_y = _inverse(affine)
    grid = torch.stack((x_of_x * x + x_of_y * y, y_of_x * x + y_of_y * y), dim=3)
    levels = F.grid_sample(pixels.permute(0, 3, 1, 2).float(), grid, mode="bilinear", align_corners=False)
    return to_levels(levels).permute(0, 2, 3, 1).contiguous()


def _shift(fraction: Tensor, side_px: int) -> Tensor:
    """Whole pixels of a fraction of the side, in coordinates, [n, 1, 1]."""
    return ((fraction * side_px).round() * (2 / side_px)).view(-1, 1, 1)


def _inverse(affine: AffineMap) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The inverse of shear @ rotation, [n, 1, 1] for each entry: x of x, x of y, y of x, y of y."""
    angle = torch.deg2rad(affine.rotation_deg).view(-1, 1, 1)
    cos, sin = angle.cos(), angle.sin()
    slope_x, slope_y = affine.shear_x.view(-1, 1, 1), affine.shear_y.view(-1, 1, 1)
    determinant = 1 - slope_x * slope_y
    return (
        (cos - slope_y * sin) / determinant,
        (slope_x * cos - sin) / determinant,
        (sin + slope_y * cos) / determinant,
        (cos + slope_x * sin) / determinant,
    )


def warp_single(image: Image, affine: AffineMap) -> Image:
    """albumentations' Affine with the map of one image, n = 1."""
    transform = _transform(
        affine.rotation_deg.item(),
        math.degrees(math.atan(affine.shear_x.item())),
        math.degrees(math.atan(affine.shear_y.item())),
        round(affine.shift_x.item() * len(image)),
        round(affine.shift_y.item() * len(image)),
    )
    return transform(image=image)["image"]


@lru_cache(maxsize=1024)
def _transform(
    rotation_deg: float, shear_x_deg: float, shear_y_deg: float, shift_x_px: int, shift_y_px: int
) -> Transform:
    transform: Transform = albumentations().Affine(
        rotate=(rotation_deg, rotation_deg),
        shear={"x": (shear_x_deg, shear_x_deg), "y": (shear_y_deg, shear_y_deg)},
        translate_px={"x": (shift_x_px, shift_x_px), "y": (shift_y_px, shift_y_px)},
        fill=0,
        p=1,
    )
    return transform


OPERATIONS.add("Rotate", AffineDefinition(full=30.0, signed=True, parameter="rotation_deg"))
OPERATIONS.add("ShearX", AffineDefinition(full=0.3, signed=True, parameter="shear_x"))
OPERATIONS.add("ShearY", AffineDefinition(full=0.3, signed=True, parameter="shear_y"))
OPERATIONS.add("TranslateX", AffineDefinition(full=150 / 331, signed=True, parameter="shift_x"))
OPERATIONS.add("TranslateY", AffineDefinition(full=150 / 331, signed=True, parameter="shift_y"))
