"""A policy on one image at a time, by albumentations: for augmented copies that are made ahead of the training."""

from functools import lru_cache

import numpy as np
import torch

from search.contract.augmentation import Policy
from workers.augmentation.draw import Draw, Drawer, affine_of, columns
from workers.augmentation.kinds import Image, PixelDefinition
from workers.augmentation.operations.affine import warp_single


def augment_image(image: Image, policy: Policy, seed: int) -> Image:
    """An augmented copy of an RGB image, uint8 [side, side, 3]: always the same for the same seed and policy.

    Ranges, meaning and order are the batch's, and so is the chance: a batch of one whose generator was just given this
    seed gets the same draw. Batch operations (MixUp, CutMix) are left to the training batch. Raises ValueError for
    another shape or type.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.shape[0] != image.shape[1]:
        raise ValueError(
            f"an image is uint8 [side, side, 3], not {image.dtype} {list(image.shape)}; pad it to a square"
        )
    return apply_draw(image, policy, _drawer(policy)(1, torch.Generator().manual_seed(seed)))


def apply_draw(image: Image, policy: Policy, draw: Draw) -> Image:
    """What ``augment_image`` does, given the draw of one image: pixels, then the affine map."""
    image = image.copy()
    for column, pixel in columns(policy, PixelDefinition):
        if draw.applied[0, column]:
            image = pixel.single(image, draw.column(column))
    if geometric := affine_of(policy, draw):
        affine, applied = geometric
        image = warp_single(image, affine) if applied[0] else image
    return image


@lru_cache(maxsize=16)
def _drawer(policy: Policy) -> Drawer:
    return Drawer(policy, torch.device("cpu"))
