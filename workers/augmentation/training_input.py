"""A training split as a policy wants it: with the copies that are made ahead, and what augments each batch."""

from dataclasses import dataclass

import torch

from search.contract.augmentation import Policy
from workers.augmentation.batch import BatchAugmenter
from workers.training.batch_augmentation import BatchAugmentation, RandomAugmentation
from workers.training.device_dataset import DeviceDataset

_COPY_BATCH = 512


@dataclass(frozen=True, kw_only=True)
class TrainingInput:
    training: DeviceDataset
    augment: BatchAugmentation


def training_input(split: DeviceDataset, policy: Policy, *, seed: int) -> TrainingInput:
    """With ``policy.copies`` the drawn operations are in the copies, and batches get flips and mixing only;
    without, every batch is augmented with a new draw.
    """
    generator = torch.Generator(device=split.images.device).manual_seed(seed)
    if not policy.copies:
        return TrainingInput(training=split, augment=_augment(policy, generator))
    ahead = policy.model_copy(update={"operations": policy.image_operations, "copies": 0})
    rest = policy.model_copy(update={"operations": policy.flips + policy.batch_operations, "max_ops": 0, "copies": 0})
    copies = [_copy(split, BatchAugmenter(ahead, generator)) for _ in range(policy.copies)]
    training = DeviceDataset(
        images=torch.cat([split.images, *copies]),
        labels=split.labels.repeat(1 + policy.copies),
        classes=split.classes,
        answers=None if split.answers is None else split.answers.repeat(1 + policy.copies, 1),
    )
    return TrainingInput(training=training, augment=_augment(rest, generator))


def _augment(policy: Policy, generator: torch.Generator) -> RandomAugmentation:
    return RandomAugmentation(change=BatchAugmenter(policy, generator), generator=generator)


def _copy(split: DeviceDataset, augment: BatchAugmentation) -> torch.Tensor:
    targets = torch.zeros(len(split), split.classes, device=split.images.device)
    batches = zip(torch.split(split.images, _COPY_BATCH), torch.split(targets, _COPY_BATCH), strict=True)
    return torch.cat([augment(images, shares)[0] for images, shares in batches])
