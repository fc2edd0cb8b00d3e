"""What a policy makes of some training images, as one picture for people."""

import io

import torch
from PIL import Image
from torch import Tensor

from search.contract.augmentation import Policy
from workers.augmentation.batch import BatchAugmenter
from workers.training.device_dataset import DeviceDataset

_IMAGES = 8
_JPEG_QUALITY = 85


def picture_of(policy: Policy, split: DeviceDataset, *, seed: int) -> bytes:
    """A JPEG with a few images of the split side by side, and below each one draw of the policy."""
    device = split.images.device
    index = torch.linspace(0, len(split) - 1, min(_IMAGES, len(split)), device=device).long()
    images, shares = split.images_at(index), torch.zeros(len(index), split.classes, device=device)
    augment = BatchAugmenter(policy.model_copy(update={"copies": 0}), torch.Generator(device=device).manual_seed(seed))
    augmented, _ = augment(images.clone(), shares)
    file = io.BytesIO()
    Image.fromarray(torch.cat([_row(images), _row(augmented)]).cpu().numpy()).save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()


def _row(images: Tensor) -> Tensor:
    """uint8 [n, 3, side, side] to [side, n * side, 3]."""
    return torch.cat(list(images.permute(0, 2, 3, 1)), dim=1)
