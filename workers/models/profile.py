"""What a network costs before it has weights: multiply-accumulates, parameters and memory, exact."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from search.contract.candidate import Architecture, Candidate, Layer
from search.contract.metrics import Metrics
from workers.models.activations import ACTIVATION_TYPES
from workers.models.blocks import BLOCKS
from workers.models.builder import ArchitectureError, naming_layer, units

Shape = tuple[int, ...]
_FLOAT_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """A line of the backbone: ``macs`` of one image, ``params``, the output's ``shape`` (channels, height, width),
    ``activations``, the numbers that its layers put out, and ``activation_bytes``, the largest sum of the input and the
    output of one of them in float32.
    """

    macs: int
    params: int
    activations: int
    activation_bytes: int
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class ModelCost:
    """What a whole network costs for one image.

    ``memory_bytes`` is the peak of an inference in float32 where nothing is kept longer than needed: all weights, and
    the input and the output of the layer for which they are largest. Layers are convolutions, products with a matrix
    and poolings; normalization and activations are in place or folded into them, and what a shortcut keeps for later is
    not counted.
    """

    macs: int
    params: int
    memory_bytes: int

    @property
    def metrics(self) -> Metrics:
        return asdict(self)


def profile(candidate: Candidate) -> ModelCost:
    """What a candidate costs, without making its weights: it takes milliseconds.

    ArchitectureError if the shapes do not work out.
    """
    return total_cost(layer_costs(candidate.architecture, candidate.image_size))


def cost_metrics(candidate: Candidate) -> Metrics:
    """``profile`` as the metrics that a search knows before a training."""
    return profile(candidate).metrics


def layers_of(candidate: Candidate) -> list[dict[str, object]]:
    """The ``shape`` (channels, height, width), ``macs`` and ``params`` of each line of a candidate's backbone.

    ArchitectureError if the shapes do not work out.
    """
    costs = layer_costs(candidate.architecture, candidate.image_size)
    return [{"shape": list(cost.shape), "macs": cost.macs, "params": cost.params} for cost in costs]


def total_cost(costs: Sequence[LayerCost]) -> ModelCost:
    params = sum(cost.params for cost in costs)
    activation_bytes = max((cost.activation_bytes for cost in costs), default=0)
    return ModelCost(
        macs=sum(cost.macs for cost in costs),
        params=params,
        memory_bytes=_FLOAT_BYTES * params + activation_bytes,
    )


def layer_costs(architecture: Architecture, side_px: int) -> list[LayerCost]:
    """The cost of each line of the backbone at ``side_px``. ArchitectureError names the line that does not work.

    The last line must leave one number a class.
    """
    shape: Shape = (architecture.input_channels, side_px, side_px)
    costs = []
    for position, layer in enumerate(architecture.backbone):
        with naming_layer(position, layer):
            cost = _layer_cost(layer, shape, architecture)
        costs.append(cost)
        shape = cost.shape
    if any(side != 1 for side in shape[1:]):
        ends = " x ".join(str(size) for size in shape)
        reason = f"the network ends with {ends} and not with a number a class: end it with GlobalAvgPool and FixedConv"
        raise ArchitectureError(reason, len(costs) or None)
    return costs


def _layer_cost(layer: Layer, shape: Shape, architecture: Architecture) -> LayerCost:
    macs = params = activations = activation_bytes = 0
    for name, arguments in units(layer, depth=architecture.depth_multiple, width=architecture.width_multiple):
        cost = _unit_cost(name, arguments, shape)
        macs, params, shape = macs + cost.macs, params + cost.params, cost.shape
        activations, activation_bytes = activations + cost.activations, max(activation_bytes, cost.activation_bytes)
    return LayerCost(macs=macs, params=params, activations=activations, activation_bytes=activation_bytes, shape=shape)


@lru_cache(maxsize=100_000)
def _unit_cost(name: str, arguments: tuple[object, ...], shape: Shape) -> LayerCost:
    block, count = BLOCKS[name], _Count()
    with torch.device("meta"):
        module, _ = block.build(shape[0], *arguments)
        params = count_params(module)
        for part in module.modules():
            if isinstance(part, (nn.BatchNorm2d, *ACTIVATION_TYPES)):
                # It multiplies nothing and keeps the shape, but on the meta device it would take most of the time.
                part.forward = _unchanged
            elif not any(True for _ in part.children()):
                part.register_forward_hook(count.note)
        counter = FlopCounterMode(display=False) if block.functional else nullcontext()
        with counter, torch.no_grad():
            output: Tensor = module.eval()(torch.empty(1, *shape))
    return LayerCost(
        macs=_macs(counter) if isinstance(counter, FlopCounterMode) else count.macs,
        params=params,
        activations=count.activations,
        activation_bytes=_FLOAT_BYTES * count.largest,
        shape=tuple(output.shape[1:]),
    )


@dataclass
class _Count:
    """What runs through the layers of a block: their ``macs``, how many ``activations`` they put out together, and the
    ``largest`` sum of an input and output.
    """

    macs: int = 0
    activations: int = 0
    largest: int = 0

    def note(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            self.macs += output.numel() * module.weight[0].numel()
        self.activations += output.numel()
        self.largest = max(self.largest, inputs[0].numel() + output.numel())


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
