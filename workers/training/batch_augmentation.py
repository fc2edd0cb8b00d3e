"""What augments the batches of a training, and the chance that it draws from."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: Changes a batch: uint8 images [n, 3, h, w] and soft targets [n, classes], both of the same shape afterwards.
BatchAugmentation = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class RandomAugmentation:
    """A ``BatchAugmentation`` that draws from a generator: a CUDA graph and a checkpoint have to know of it."""

    change: BatchAugmentation
    generator: torch.Generator

    def __call__(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return self.change(images, targets)


def generators_of(augment: BatchAugmentation) -> tuple[torch.Generator, ...]:
    return (augment.generator,) if isinstance(augment, RandomAugmentation) else ()
