"""Operations that spread each channel's levels by what the whole image holds; they have no magnitude."""

import numpy as np
import torch
from torch import Tensor

from workers.augmentation.kinds import Drawn, Image, PixelDefinition
from workers.augmentation.library import albumentations, through
from workers.augmentation.operations.enhance import to_levels
from workers.augmentation.operations.registry import OPERATIONS


def _auto_contrast(pixels: Tensor, drawn: Drawn) -> Tensor:
    """Stretch each channel to 0 through 255; a channel of one level stays (Pillow's ``ImageOps.autocontrast``)."""
    low = pixels.amin(1, keepdim=True).amin(2, keepdim=True).float()
    high = pixels.amax(1, keepdim=True).amax(2, keepdim=True).float()
    flat = low == high
    scale = torch.where(flat, 1.0, 255 / (high - low).clamp(min=1))
    return to_levels((pixels - torch.where(flat, 0.0, low)) * scale)


def _auto_contrast_single(image: Image, drawn: Drawn) -> Image:
    """By Normalize: the AutoContrast of albumentations 2.0.8 leaves level 255 out of its histogram."""
    stretched = albumentations().Normalize(normalization="min_max_per_channel").apply(image)
    flat = image.min((0, 1)) == image.max((0, 1))
    return np.where(flat, image, (stretched * 255).round()).astype(np.uint8)


def _equalize(pixels: Tensor, drawn: Drawn) -> Tensor:
    """Give each level its rank in the cumulated histogram; a channel of one level stays (OpenCV's ``equalizeHist``).

    One table of 256 levels for each of the 3n channels, laid end to end.
    """
    n, side = len(pixels), pixels.shape[1]
    channel = torch.arange(3 * n, device=pixels.device).view(n, 1, 1, 3)
    entry = (pixels + 256 * channel).flatten()
    counts = torch.zeros(3 * n * 256, dtype=torch.int32, device=pixels.device)
    counts.scatter_add_(0, entry, torch.ones((), dtype=torch.int32, device=pixels.device).expand_as(entry))
    cumulated = counts.view(3 * n, 256).cumsum(1)
    lowest = torch.where(cumulated > 0, cumulated, side * side).amin(1, keepdim=True)
    spread = (cumulated - lowest).clamp(min=0) * (255 / (side * side - lowest).clamp(min=1))
    table = torch.where(lowest == side * side, torch.arange(256, device=pixels.device), spread)
    return to_levels(table).flatten().index_select(0, entry).view_as(pixels)


OPERATIONS.add("AutoContrast", PixelDefinition(batch=_auto_contrast, single=_auto_contrast_single))
OPERATIONS.add(
    "Equalize",
    PixelDefinition(batch=_equalize, single=through(lambda library, value: library.Equalize(mode="cv", p=1))),
)
