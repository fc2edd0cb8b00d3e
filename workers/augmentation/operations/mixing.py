"""MixUp (https://arxiv.org/abs/1710.09412) and CutMix (https://arxiv.org/abs/1905.04899) with the image before.

The partner's fraction is uniform from 0 to half the magnitude. At magnitude 1 this is the papers' Beta(1, 1): more
than a half would be the same pair, seen from the other image.
"""

import torch
from torch import Tensor

from workers.augmentation.kinds import Drawn, MixDefinition
from workers.augmentation.operations.enhance import to_levels
from workers.augmentation.operations.registry import OPERATIONS
from workers.augmentation.operations.square import inside


def _mixup(pixels: Tensor, partners: Tensor, drawn: Drawn) -> tuple[Tensor, Tensor]:
    levels = pixels.float()
    return to_levels(levels + (partners - levels) * drawn.per_pixel()), drawn.value


def _cutmix(pixels: Tensor, partners: Tensor, drawn: Drawn) -> tuple[Tensor, Tensor]:
    """The partner's square holds its fraction of the area; the labels follow its whole pixels."""
    side_px = pixels.shape[1]
    size_px = (drawn.value.sqrt() * side_px).round()
    mixed = torch.where(inside(size_px, drawn.position, side_px), partners, pixels)
    return mixed, (size_px / side_px) ** 2


OPERATIONS.add("MixUp", MixDefinition(full=0.5, mix=_mixup))
OPERATIONS.add("CutMix", MixDefinition(full=0.5, mix=_cutmix))
