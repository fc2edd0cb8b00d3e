"""A data set that lives on the training device whole, as uint8 in channels_last layout."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class DeviceDataset:
    """``images`` uint8 [n, 3, side, side] in channels_last layout, ``labels`` int64 [n], ``answers`` float
    [n, classes]: a teacher's logits, where there is one. All are on one device.
    """

    images: Tensor
    labels: Tensor
    classes: int
    answers: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def images_at(self, index: Tensor) -> Tensor:
        """The images at ``index``, int64 [n], in the same layout: whole images are copied, not pixel by pixel."""
        return self.images.permute(0, 2, 3, 1).index_select(0, index).permute(0, 3, 1, 2)


def to_device(
    images: NDArray[np.uint8], labels: NDArray[np.int64], indices: NDArray[np.int64], *, classes: int, device: str
) -> DeviceDataset:
    """Copy the chosen images [n, side, side, 3] and labels to the device."""
    chosen = torch.from_numpy(np.ascontiguousarray(images[indices])).to(device)
    return DeviceDataset(
        images=chosen.permute(0, 3, 1, 2),
        labels=torch.from_numpy(np.ascontiguousarray(labels[indices])).to(device),
        classes=classes,
    )


def pixels(images: Tensor) -> Tensor:
    """uint8 [n, 3, h, w] to float in [0, 1], the layout kept: what every network takes."""
    return images / 255
