"""What an operation of a policy is to the executors: its range, and its arithmetic in torch and in albumentations.

Notation: n images of side x side pixels; ``pixels`` is uint8 [n, side, side, 3], RGB and contiguous; ``Image`` is one
such image as NumPy array [side, side, 3].
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Image = NDArray[np.uint8]
AffineParameter = Literal["rotation_deg", "shear_x", "shear_y", "shift_x", "shift_y"]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What was drawn for n images and one operation.

    value: float [n], in the operation's own unit, with its sign.
    position: float [n, 2] in [0, 1), row and column: where in the image a square lies.
    """

    value: Tensor
    position: Tensor

    def select(self, index: Tensor) -> "Drawn":
        return Drawn(value=self.value[index], position=self.position[index])

    def per_pixel(self) -> Tensor:
        """The values as [n, 1, 1, 1], to meet pixels."""
        return self.value.view(-1, 1, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Definition:
    """``full`` is the value at magnitude 1 (0: the operation has no magnitude); half of the ``signed`` are negated."""

    full: float = 0.0
    signed: bool = False


@dataclass(frozen=True, kw_only=True)
class PixelDefinition(Definition):
    """An operation with an arithmetic of its own: ``batch`` on pixels by torch, ``single`` on an image."""

    batch: Callable[[Tensor, Drawn], Tensor]
    single: Callable[[Image, Drawn], Image]


@dataclass(frozen=True, kw_only=True)
class AffineDefinition(Definition):
    """An operation that adds its value to a parameter of the one affine map that an image goes through."""

    parameter: AffineParameter


@dataclass(frozen=True, kw_only=True)
class MixDefinition(Definition):
    """An operation that mixes images with those before them in the batch; ``full`` bounds the fraction of the other.

    ``mix(pixels, partners, drawn)`` returns mixed pixels and the fraction of the partner, float [n]. The value is drawn
    uniformly from 0 to the bound that the magnitude sets, and is 0 for the images that shall stay as they are.
    """

    mix: Callable[[Tensor, Tensor, Drawn], tuple[Tensor, Tensor]]
