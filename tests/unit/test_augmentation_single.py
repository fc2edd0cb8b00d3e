"""Copies made ahead, one image at a time: repeatable by seed, and the same as a batch of one with that seed."""

import numpy as np
import pytest
import torch

from search.contract.augmentation import BATCH_OPERATION_NAMES, OPERATION_NAMES, Operation, Policy
from workers.augmentation.batch import BatchAugmenter
from workers.augmentation.kinds import Image
from workers.augmentation.single import augment_image

OPERATIONS = tuple(
    Operation(name=name, probability=0.8, magnitude=0.6)
    for name in OPERATION_NAMES
    if name not in BATCH_OPERATION_NAMES
)
POLICY = Policy(operations=OPERATIONS, max_ops=3)


def picture(side_px: int = 48) -> Image:
    down, across = np.indices((side_px, side_px)) / side_px
    waves = [np.sin(9 * across + 2 * channel) * np.cos(7 * down - channel) for channel in range(3)]
    return (127.5 + 120 * np.stack(waves, axis=2)).astype(np.uint8)


def test_the_same_seed_gives_the_same_copy_and_most_seeds_give_different_ones() -> None:
    copies = [augment_image(picture(), POLICY, seed) for seed in range(20)]
    for seed, copy in enumerate(copies):
        np.testing.assert_array_equal(copy, augment_image(picture(), POLICY, seed))
    assert len({copy.tobytes() for copy in copies}) > 15


def test_a_copy_has_the_shape_and_type_of_its_image_which_stays_as_it_is() -> None:
    image = picture()
    for seed in range(20):
        copy = augment_image(image, POLICY, seed)
        assert (copy.shape, copy.dtype) == (image.shape, np.dtype(np.uint8))
        assert not np.shares_memory(copy, image)
    np.testing.assert_array_equal(image, picture())


def test_a_batch_of_one_with_the_same_seed_looks_the_same() -> None:
    image = picture()
    images = torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0)
    for seed in range(60):
        changed, _ = BatchAugmenter(POLICY, torch.Generator().manual_seed(seed))(images, torch.ones(1, 1))
        difference = np.abs(changed[0].permute(1, 2, 0).numpy().astype(int) - augment_image(image, POLICY, seed))
        assert np.median(difference) <= 2, f"seed {seed}"


def test_an_empty_policy_and_one_of_batch_operations_give_the_image_itself() -> None:
    mixing = Policy(operations=tuple(Operation(name=name) for name in BATCH_OPERATION_NAMES))
    for policy in (Policy(), mixing):
        np.testing.assert_array_equal(augment_image(picture(), policy, seed=0), picture())


@pytest.mark.parametrize("image", [picture()[:, :20], picture()[:, :, 0], picture().astype(np.float32)])
def test_other_images_than_square_rgb_of_uint8_are_refused(image: Image) -> None:
    with pytest.raises(ValueError, match="pad it to a square"):
        augment_image(image, POLICY, seed=0)
