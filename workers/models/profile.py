"""What a network costs before it has weights: multiply-accumulates and parameters, exact."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from search.candidate import Architecture, Candidate, Layer
from workers.models.builder import ArchitectureError, naming_layer, units
from workers.models.registry import ACTIVATION_TYPES, BLOCKS

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """``macs`` of one image, ``params`` and the output's ``shape`` (channels, height, width) of a backbone's line."""

    macs: int
    params: int
    shape: Shape


def profile(candidate: Candidate) -> dict[str, float]:
    """``macs`` of one image and ``params`` of a candidate, without weights, in milliseconds.

    ArchitectureError if the shapes do not work out.
    """
    costs = layer_costs(candidate.architecture, candidate.image_size)
    return {"macs": sum(cost.macs for cost in costs), "params": sum(cost.params for cost in costs)}


def layer_costs(architecture: Architecture, side_px: int) -> list[LayerCost]:
    """The cost of each line of the backbone at ``side_px``. ArchitectureError names the line that does not work."""
    shape: Shape = (architecture.input_channels, side_px, side_px)
    costs = []
    for position, layer in enumerate(architecture.backbone):
        with naming_layer(position, layer):
            cost = _layer_cost(layer, shape, architecture)
        costs.append(cost)
        shape = cost.shape
    return costs


def _layer_cost(layer: Layer, shape: Shape, architecture: Architecture) -> LayerCost:
    macs = params = 0
    for name, arguments in units(layer, depth=architecture.depth_multiple, width=architecture.width_multiple):
        cost = _unit_cost(name, arguments, shape)
        macs, params, shape = macs + cost.macs, params + cost.params, cost.shape
    return LayerCost(macs=macs, params=params, shape=shape)


@lru_cache(maxsize=100_000)
def _unit_cost(name: str, arguments: tuple[object, ...], shape: Shape) -> LayerCost:
    with torch.device("meta"):
        module, _ = BLOCKS[name].build(shape[0], *arguments)
        params = count_params(module)
        for part in module.modules():
            # They cost no multiply-accumulates and keep the shape, but on the meta device they take most of the time.
            if isinstance(part, (nn.BatchNorm2d, *ACTIVATION_TYPES)):
                part.forward = _unchanged  # type: ignore[method-assign,assignment]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            output: Tensor = module.eval()(torch.empty(1, *shape))
    return LayerCost(macs=_macs(counter), params=params, shape=tuple(output.shape[1:]))


def _unchanged(images: Tensor) -> Tensor:
    return images


def _macs(counter: FlopCounterMode) -> int:
    """Half the floating-point operations of ``torch.utils.flop_counter``, which counts convolutions and matrix products
    and nothing else.
    """
    return int(counter.get_total_flops()) // 2


def count_params(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, side_px: int) -> int:
    """Multiply-accumulates of one image by a network as it is, pruned ones included. ArchitectureError if it fails."""
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, 3, side_px, side_px, device=device))
    except RuntimeError as error:
        raise ArchitectureError(f"the network does not work at {side_px} px: {error}") from error
    finally:
        network.train(was_training)
    return _macs(counter)
