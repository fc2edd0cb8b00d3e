"""Squares that lie whole inside the image: the black one of Cutout (https://arxiv.org/abs/1708.04552) and CutMix's."""

import numpy as np
import torch
from torch import Tensor

from workers.augmentation.kinds import Drawn, Image, PixelDefinition
from workers.augmentation.library import albumentations
from workers.augmentation.operations.registry import OPERATIONS


def first_corner(size_px: Tensor, position: Tensor, side_px: int) -> Tensor:
    """Row and column [n, 2] of the top left pixels of squares of ``size_px`` [n], every position equally likely."""
    room = (side_px - size_px).unsqueeze(1)
    return (position * (room + 1)).floor().minimum(room)


def inside(size_px: Tensor, position: Tensor, side_px: int) -> Tensor:
    """Whether a pixel lies in its image's square, bool [n, side, side, 1]."""
    axis = torch.arange(side_px, device=size_px.device)
    start = first_corner(size_px, position, side_px).unsqueeze(2)
    within = (axis >= start) & (axis < start + size_px.view(-1, 1, 1))
    return (within[:, 0, :, None] & within[:, 1, None, :]).unsqueeze(3)


def _cutout(pixels: Tensor, drawn: Drawn) -> Tensor:
    side_px = pixels.shape[1]
    return pixels * ~inside((drawn.value * side_px).round(), drawn.position, side_px)


def _cutout_single(image: Image, drawn: Drawn) -> Image:
    size_px = (drawn.value * len(image)).round()
    row, column = first_corner(size_px, drawn.position, len(image))[0].int().tolist()
    size = int(size_px.item())
    hole = np.array([[column, row, column + size, row + size]])
    return albumentations().CoarseDropout(fill=0).apply(image, holes=hole, seed=0)  # type: ignore[no-any-return]


OPERATIONS.add("Cutout", PixelDefinition(full=0.5, batch=_cutout, single=_cutout_single))
