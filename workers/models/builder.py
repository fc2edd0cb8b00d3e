"""From an Architecture to a network."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from search.contract.candidate import Architecture, Layer, UnbuildableError
from workers.models.blocks import BLOCKS
from workers.models.pretrained import Pretrained, Source


class ArchitectureError(UnbuildableError):
    """A network that cannot be built or does not work; the message names the layer of the backbone.

    ``layer`` counts from 1; None where no single one is to blame.
    """

    def __init__(self, reason: str, layer: int | None = None) -> None:
        super().__init__(reason, layer)
        self.reason, self.layer = reason, layer

    def __str__(self) -> str:
        return self.reason


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


def build_network(
    architecture: Architecture, *, device: str | torch.device = "cpu", pretrained: bool = True
) -> Network:
    """Build a network with fresh weights, or with the pretrained ones that its blocks name.

    ``pretrained=False`` leaves those fresh too, for weights that are loaded next. ``device="meta"`` makes a network
    without weights. ArchitectureError if a block is unknown, its arguments do not fit or its weights cannot be had.
    """
    channels, modules = architecture.input_channels, []
    source: Source | None = None
    with torch.device(device):
        for position, layer in enumerate(architecture.backbone):
            with naming_layer(position, layer):
                module, channels = build_layer(
                    layer, channels, depth=architecture.depth_multiple, width=architecture.width_multiple
                )
                if pretrained and torch.device(device).type != "meta":
                    source = _load_pretrained(module, source)
            modules.append(module)
        return Network(nn.Sequential(*modules))


def _load_pretrained(module: nn.Module, source: Source | None) -> Source | None:
    """Fill what can be filled, from what the layers before have left; return what is left for the next layer."""
    for part in module.modules():
        if isinstance(part, Pretrained):
            source = part.load_pretrained(source)
    return source


@contextmanager
def naming_layer(position: int, layer: Layer) -> Iterator[None]:
    """Turn what goes wrong with a layer of the backbone into an ArchitectureError that names it."""
    try:
        yield
    except (TypeError, ValueError, RuntimeError) as error:
        repeat, name, arguments = layer
        reason = " ".join(str(error).split())
        raise ArchitectureError(
            f"layer {position + 1} {[repeat, name, list(arguments)]}: {reason}", position + 1
        ) from error


def build_layer(layer: Layer, channels: int, *, depth: float, width: float) -> tuple[nn.Module, int]:
    """The modules of one line of the backbone, with its repeats, and its number of output channels."""
    modules = []
    for name, arguments in units(layer, depth=depth, width=width):
        module, channels = BLOCKS[name].build(channels, *arguments)
        modules.append(module)
    return (modules[0] if len(modules) == 1 else nn.Sequential(*modules)), channels


def units(layer: Layer, *, depth: float, width: float) -> list[tuple[str, tuple[object, ...]]]:
    """The blocks that one line of the backbone stands for, each with all its arguments.

    ValueError for an unknown block, or for arguments that it does not take.
    """
    repeat, name, arguments = layer
    if name not in BLOCKS:
        raise ValueError(f"unknown block {name!r}; known: {', '.join(sorted(BLOCKS))}")
    if repeat > 1:
        repeat = max(round(repeat * depth), 1)
    first = BLOCKS[name].arguments(arguments, width_multiple=width)
    return [(name, first), *[(name, BLOCKS[name].repeated(first))] * (repeat - 1)]
