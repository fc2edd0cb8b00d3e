"""A training split as a policy wants it: copies made ahead, and what is left for each batch."""

import numpy as np
import torch
from torch.nn.functional import one_hot

from search.contract.augmentation import FLIP_ONLY, Operation, Policy
from tests.unit.training_sets import CLASSES, coloured
from workers.augmentation.training_input import training_input
from workers.training.device_dataset import pixels, to_device

INVERT_AND_FLIP = (Operation(name="Invert"), Operation(name="HorizontalFlip", probability=1.0))


def test_the_chosen_images_live_as_channels_last_copies() -> None:
    images = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    chosen = to_device(images, np.array([0, 1, 2, 0]), np.array([3, 1]), classes=3, device="cpu")
    assert len(chosen) == 2
    assert chosen.labels.tolist() == [0, 1]
    assert chosen.images.is_contiguous(memory_format=torch.channels_last)
    images[:] = 0
    assert chosen.images[0, :, 0, 0].tolist() == [36, 37, 38]


def test_pixels_are_shares_of_white_in_the_same_layout() -> None:
    split = coloured(4)
    floats = pixels(split.images)
    assert floats.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(floats, split.images / 255)


def test_without_copies_every_batch_is_augmented_with_a_new_draw() -> None:
    split = coloured(16)
    prepared = training_input(split, Policy(operations=(Operation(name="Rotate"),), max_ops=1), seed=0)
    assert prepared.training is split
    targets = one_hot(split.labels, CLASSES).float()
    first, second = (prepared.augment(split.images, targets)[0] for _ in range(2))
    assert not torch.equal(first, split.images)
    assert not torch.equal(first, second)


def test_copies_hold_the_drawn_operations_and_batches_get_the_flips() -> None:
    split = coloured(8)
    prepared = training_input(split, Policy(operations=INVERT_AND_FLIP, max_ops=1, copies=2), seed=0)
    training = prepared.training
    assert torch.equal(training.images, torch.cat([split.images, 255 - split.images, 255 - split.images]))
    assert torch.equal(training.labels, split.labels.repeat(3))
    assert training.images.is_contiguous(memory_format=torch.channels_last)
    targets = one_hot(split.labels, CLASSES).float()
    augmented, kept = prepared.augment(split.images, targets)
    assert torch.equal(augmented, split.images.flip(3))
    assert torch.equal(kept, targets)


def test_with_copies_mixing_is_left_to_the_batches() -> None:
    split = coloured(8)
    mixing = Operation(name="MixUp", probability=1.0, magnitude=1.0)
    prepared = training_input(split, Policy(operations=(Operation(name="Invert"), mixing), max_ops=1, copies=1), seed=0)
    assert torch.equal(prepared.training.images[8:], 255 - split.images)
    targets = one_hot(split.labels, CLASSES).float()
    _, mixed = prepared.augment(split.images, targets)
    assert not torch.equal(mixed, targets)


def test_one_seed_gives_one_augmentation() -> None:
    split = coloured(16)
    targets = one_hot(split.labels, CLASSES).float()
    first, again, other = (
        training_input(split, FLIP_ONLY, seed=seed).augment(split.images, targets)[0] for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
