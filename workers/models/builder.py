"""From an Architecture to a network."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

import workers.models.blocks  # noqa: F401  (registers the blocks)
from search.candidate import Architecture, Layer
from workers.models.registry import BLOCKS, Block


class ArchitectureError(ValueError):
    """A line of the backbone that cannot be built; the message names it."""


class Network(nn.Module):
    """Pixels in [0, 1], float [n, 3, side, side], to logits [n, classes]."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits.flatten(1)

    @property
    def classifier(self) -> nn.Module:
        """The last layer with weights, whose outputs are the classes."""
        return [module for module in self.modules() if isinstance(module, nn.Conv2d | nn.Linear)][-1]


def build_network(architecture: Architecture, *, device: str | torch.device = "cpu") -> Network:
    """Build a network with fresh weights; ``device="meta"`` makes one without weights.

    ArchitectureError if a block is unknown or its arguments do not fit.
    """
    channels, modules = architecture.input_channels, []
    with torch.device(device):
        for position, layer in enumerate(architecture.backbone):
            with naming_layer(position, layer):
                module, channels = build_layer(
                    layer, channels, depth=architecture.depth_multiple, width=architecture.width_multiple
                )
            modules.append(module)
        return Network(nn.Sequential(*modules))


@contextmanager
def naming_layer(position: int, layer: Layer) -> Iterator[None]:
    """Turn what goes wrong with a layer of the backbone into an ArchitectureError that names it."""
    try:
        yield
    except (TypeError, ValueError, RuntimeError) as error:
        raise ArchitectureError(f"layer {position + 1} {list(layer)}: {error}") from error


def build_layer(layer: Layer, channels: int, *, depth: float, width: float) -> tuple[nn.Module, int]:
    """The modules of one line of the backbone, with its repeats, and its number of output channels."""
    modules = []
    for name, arguments in units(layer, depth=depth, width=width):
        module, channels = BLOCKS[name].build(channels, *arguments)
        modules.append(module)
    return (modules[0] if len(modules) == 1 else nn.Sequential(*modules)), channels


def units(layer: Layer, *, depth: float, width: float) -> list[tuple[str, tuple[object, ...]]]:
    """The blocks that one line of the backbone stands for, each with its arguments. ValueError for an unknown block."""
    repeat, name, arguments = layer
    if name not in BLOCKS:
        raise ValueError(f"unknown block {name!r}; known: {', '.join(sorted(BLOCKS))}")
    if repeat > 1:
        repeat = max(round(repeat * depth), 1)
    first = _scaled(BLOCKS[name], arguments, width)
    return [(name, first), *[(name, _with_unit_stride(BLOCKS[name], first))] * (repeat - 1)]


def _scaled(block: Block, arguments: tuple[object, ...], multiple: float) -> tuple[object, ...]:
    """The width times the multiple, rounded to a multiple of 8 and never below 8."""
    if block.width_at is None or len(arguments) <= block.width_at or multiple == 1.0:
        return arguments
    width = float(str(arguments[block.width_at])) * multiple
    return _replaced(arguments, block.width_at, max(8, int(width + 4) // 8 * 8))


def _with_unit_stride(block: Block, arguments: tuple[object, ...]) -> tuple[object, ...]:
    if block.stride_at is None or len(arguments) <= block.stride_at:
        return arguments
    return _replaced(arguments, block.stride_at, 1)


def _replaced(arguments: tuple[object, ...], position: int, value: object) -> tuple[object, ...]:
    return (*arguments[:position], value, *arguments[position + 1 :])
