"""The picture of what a policy does."""

import io

import numpy as np
import torch
from PIL import Image

from search.contract.augmentation import Operation, Policy
from workers.augmentation.pictures import picture_of
from workers.training.device_dataset import to_device


def test_the_images_stand_above_what_the_policy_makes_of_them() -> None:
    images = np.full((20, 16, 16, 3), 40, dtype=np.uint8)
    split = to_device(images, np.zeros(20, dtype=np.int64), np.arange(20), classes=2, device="cpu")
    policy = Policy(operations=(Operation(name="Invert", probability=1.0, magnitude=1.0),), max_ops=1)
    picture = np.asarray(Image.open(io.BytesIO(picture_of(policy, split, seed=0))))
    assert picture.shape == (32, 8 * 16, 3)
    assert np.abs(picture[:15].astype(int) - 40).max() < 8
    below = picture[24].reshape(8, 16, 3).astype(int).mean(axis=(1, 2))
    assert all(min(abs(level - 40), abs(level - 215)) < 8 for level in below)
    assert (below > 200).any()
    assert torch.equal(split.images, torch.full_like(split.images, 40))
