"""The register of blocks: a new block is one file in workers/models/blocks and one ``@block`` there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

#: Makes a block from the number of input channels and the arguments of its line in the backbone; returns the module
#: and its number of output channels.
BlockBuilder = Callable[..., tuple[nn.Module, int]]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A registered block. ``width_at`` and ``stride_at`` say which argument is its width (scaled by the width
    multiple) and its stride (1 in all repeats but the first); None where it has none.
    """

    build: BlockBuilder
    width_at: int | None = None
    stride_at: int | None = None


BLOCKS: dict[str, Block] = {}


def block(
    name: str, *, width_at: int | None = None, stride_at: int | None = None
) -> Callable[[BlockBuilder], BlockBuilder]:
    """Register a block under the name that the backbone uses for it."""

    def register(build: BlockBuilder) -> BlockBuilder:
        assert name not in BLOCKS, name
        BLOCKS[name] = Block(build=build, width_at=width_at, stride_at=stride_at)
        return build

    return register


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "ReLU": lambda: nn.ReLU(inplace=True),
    "Hardswish": lambda: nn.Hardswish(inplace=True),
    "Identity": nn.Identity,
}


ACTIVATION_TYPES = (nn.ReLU, nn.Hardswish)


def activation(name: str) -> nn.Module:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; known: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


def conv_norm(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, *, groups: int = 1, padding: int | None = None
) -> list[Any]:
    """Convolution without bias, padded to keep the side at stride 1, and batch normalization."""
    pad = kernel // 2 if padding is None else padding
    return [
        nn.Conv2d(channels_in, channels_out, kernel, stride, pad, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
    ]
