"""A tiny set of images that is easy to learn, and a network that learns it, for the tests of workers.training."""

import numpy as np
import torch
from numpy.typing import NDArray

from search.contract.candidate import Architecture, Candidate, Layer
from workers.models import Network, build_network
from workers.training.device_dataset import DeviceDataset, to_device

CLASSES, SIDE_PX = 3, 8
# Networks this small are slower on several threads, by far where the cores are busy.
torch.set_num_threads(1)
BACKBONE: tuple[Layer, ...] = (
    (1, "Conv", (16, 3, 2)),
    (1, "DWConv", (32, 3, 1)),
    (2, "InvertedResidualv2", (32, 2, 1, 3)),
    (1, "Conv", (32, 1, 1)),
    (1, "GlobalAvgPool", ()),
    (1, "FixedConv", (CLASSES,)),
)
#: One of each block that may stand before a pooled head.
EVERY_BLOCK: tuple[Layer, ...] = (
    (1, "Conv", (16, 3, 2)),
    (1, "InvertedResidualv3", (3, 3, 32, 1, 1)),
    (1, "ECAInvertedResidualv2", (32, 2)),
    (1, "ECAInvertedResidualv3", (3, 2, 32, None, 0)),
    (1, "MBConv", (2, 32)),
    (1, "Fire", (16, 16, 16)),
    (1, "Bottleneck", (32,)),
    (1, "MaxPool", (2, 2)),
    (1, "AvgPool", (3, 1, 1)),
    (1, "Pass", ()),
    (2, "Ghost", (32, 3)),
    (1, "Conv", (16,)),
    (2, "ShuffleNetV2", (32,)),
    (1, "Conv", (32,)),
    (1, "GlobalAvgPool", ()),
    (1, "Flatten", ()),
    (1, "Linear", (CLASSES,)),
)


def coloured_images(count: int, *, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 [n, 8, 8, 3] of noise, brighter in the colour of their class, and labels int64 [n]."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    images = generator.integers(0, 100, (count, SIDE_PX, SIDE_PX, 3))
    images[np.arange(count), :, :, labels] += 120
    return images.astype(np.uint8), labels


def coloured(count: int, *, seed: int = 0) -> DeviceDataset:
    images, labels = coloured_images(count, seed=seed)
    return to_device(images, labels, np.arange(count), classes=CLASSES, device="cpu")


def small_network(*, seed: int = 0, backbone: tuple[Layer, ...] = BACKBONE) -> Network:
    torch.manual_seed(seed)
    return build_network(Architecture(backbone=backbone))


def small_candidate(*, backbone: tuple[Layer, ...] = BACKBONE) -> Candidate:
    return Candidate.model_validate(
        {
            "architecture": Architecture(backbone=backbone),
            "image_size": SIDE_PX,
            "batch_size": 16,
            "learning_rate": 0.1,
            "optimizer": "sgd",
        }
    )
