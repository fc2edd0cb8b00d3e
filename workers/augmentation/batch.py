"""A policy on a whole batch, by torch: each image gets a draw of its own. albumentations is not imported here.

An operation's arithmetic is defined once (``operations``) and dispatched in one of two ways: on the CPU the images that
drew it are gathered, changed and put back; on CUDA it runs on all and a mask keeps what it did to those that drew it.
"""

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor

from search.contract.augmentation import Policy
from workers.augmentation.draw import Draw, Drawer, affine_of, columns
from workers.augmentation.kinds import MixDefinition, PixelDefinition
from workers.augmentation.operations.affine import warp

_GATHERED_IMAGES = 16  # at most so many at once: their float levels stay in a core's cache


class _Selectable(Protocol):
    def select(self, index: Tensor) -> Self: ...


_Drawn = TypeVar("_Drawn", bound=_Selectable)


class Dispatch(Protocol):
    """Changes the images where ``applied``, bool [n], by ``change(pixels, drawn)``; the result may be ``pixels``."""

    def __call__(
        self, change: Callable[[Tensor, _Drawn], Tensor], pixels: Tensor, drawn: _Drawn, applied: Tensor
    ) -> Tensor: ...


def selected(change: Callable[[Tensor, _Drawn], Tensor], pixels: Tensor, drawn: _Drawn, applied: Tensor) -> Tensor:
    """In place, by gathering them: no work is wasted, but the host must know which they are."""
    for part in torch.split(applied.nonzero().flatten(), _GATHERED_IMAGES):
        pixels.index_copy_(0, part, change(pixels.index_select(0, part), drawn.select(part)))
    return pixels


def masked(change: Callable[[Tensor, _Drawn], Tensor], pixels: Tensor, drawn: _Drawn, applied: Tensor) -> Tensor:
    """By changing all and keeping what is wanted: no host synchronisation, so a CUDA graph may hold it."""
    return torch.where(applied.view(-1, 1, 1, 1), change(pixels, drawn), pixels)


class BatchAugmenter:
    """Augments training batches by ``policy`` with the chance of ``generator``, on the generator's device.

    A CUDA graph may hold a call, once ``graph.register_generator_state(generator)`` has told it of the generator.
    """

    def __init__(self, policy: Policy, generator: torch.Generator) -> None:
        self._policy = policy
        self._generator = generator
        self._drawer = Drawer(policy, generator.device)

    def __call__(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Images uint8 [n, 3, side, side] and label shares float [n, classes] to the same, images in channels_last.

        The arguments stay as they are. Raises ValueError for other shapes or types.
        """
        _check(images, targets)
        draw = self._drawer(len(images), self._generator)
        dispatch = masked if images.is_cuda else selected
        return apply_draw(images, targets, policy=self._policy, draw=draw, dispatch=dispatch)


def apply_draw(
    images: Tensor, targets: Tensor, *, policy: Policy, draw: Draw, dispatch: Dispatch
) -> tuple[Tensor, Tensor]:
    """What ``BatchAugmenter`` does to its arguments, given the draw: pixels, then the affine map, then mixing."""
    pixels = images.permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format)
    for column, pixel in columns(policy, PixelDefinition):
        pixels = dispatch(pixel.batch, pixels, draw.column(column), draw.applied[:, column])
    if geometric := affine_of(policy, draw):
        pixels = dispatch(warp, pixels, *geometric)
    for column, mixture in columns(policy, MixDefinition):
        pixels, fraction = mixture.mix(pixels, pixels.roll(1, 0), draw.column(column))
        targets = targets.lerp(targets.roll(1, 0), fraction.unsqueeze(1))
    return pixels.permute(0, 3, 1, 2), targets


def _check(images: Tensor, targets: Tensor) -> None:
    n, channels, height, width = images.shape if images.dim() == 4 else (0, 0, 0, 0)
    if images.dtype != torch.uint8 or channels != 3 or height != width:
        raise ValueError(f"images are uint8 [n, 3, side, side], not {images.dtype} {list(images.shape)}")
    if targets.dtype != torch.float32 or targets.dim() != 2 or len(targets) != n:
        raise ValueError(
            f"targets are float32 [{n}, classes], one share a class, not {targets.dtype} {list(targets.shape)}; "
            "torch.nn.functional.one_hot(labels, classes).float() makes them of labels"
        )
