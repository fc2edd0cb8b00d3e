"""The optimizers, made from a network and a plan. Their rates are tensors on the device: a CUDA graph sees them change.

A parameter group has, beside its rate ``lr``, the highest one ``peak``: ``set_rates`` writes a fraction of it into
``lr``. Weights with one dimension (biases, normalization) do not decay. The lines of a network may have lower rates the
farther they are from its classifier.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from search.contract.training_settings import OptimizerName
from workers.training.lines import rate_factors
from workers.training.muon import Muon
from workers.training.plan import TrainingPlan

Optimizers = tuple[torch.optim.Optimizer, ...]

# Fractions of SGD's rates: so one range of learning rates serves all.
_ADAMW_RATE, _MUON_RATE = 0.05, 0.2


def sgd(network: nn.Module, plan: TrainingPlan) -> Optimizers:
    """Stochastic gradient descent with Nesterov momentum of 0.9."""
    groups = _groups(network, trainable(network), plan, peak=plan.learning_rate)
    return (torch.optim.SGD(groups, momentum=0.9, nesterov=True, fused=True),)


def adamw(network: nn.Module, plan: TrainingPlan) -> Optimizers:
    """https://arxiv.org/abs/1711.05101"""
    return (_adamw(network, trainable(network), plan),)


def muon(network: nn.Module, plan: TrainingPlan) -> Optimizers:
    """Muon for the matrices between the channels of two layers; AdamW for the rest: the last layer, depthwise filters
    and everything with one dimension.
    """
    weights = [parameter for parameter in trainable(network) if parameter.ndim > 1]
    matrices = [weight for weight in weights[:-1] if weight.shape[1] > 1]
    chosen = set(map(id, matrices))
    rest = [parameter for parameter in trainable(network) if id(parameter) not in chosen]
    groups = _groups(network, matrices, plan, peak=plan.learning_rate * _MUON_RATE)
    return (*((Muon(groups),) if groups else ()), _adamw(network, rest, plan))


OPTIMIZERS: dict[OptimizerName, Callable[[nn.Module, TrainingPlan], Optimizers]] = {
    "sgd": sgd,
    "adamw": adamw,
    "muon": muon,
}


def make_optimizers(network: nn.Module, plan: TrainingPlan) -> Optimizers:
    """The plan's optimizers, with state tensors, all zero, and rates of 0.

    Optimizers make their state in the first step: so one is taken here, with gradients and rates of 0, that leaves the
    weights as they are.
    """
    optimizers = OPTIMIZERS[plan.optimizer](network, plan)
    for parameter in trainable(network):
        parameter.grad = torch.zeros_like(parameter)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    for tensor in state_tensors(optimizers).values():
        tensor.zero_()
    return optimizers


def trainable(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that are not frozen."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def set_rates(optimizers: Optimizers, fraction: Tensor) -> None:
    """Give every group the fraction (a tensor of one number) of its highest rate."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            torch.mul(fraction, group["peak"], out=group["lr"])


def state_tensors(optimizers: Optimizers) -> dict[str, Tensor]:
    """What the optimizers remember, by name."""
    return {
        f"{number}.{position}.{name}": tensor
        for number, optimizer in enumerate(optimizers)
        for position, state in enumerate(optimizer.state.values())
        for name, tensor in state.items()
    }


def _adamw(network: nn.Module, parameters: Sequence[nn.Parameter], plan: TrainingPlan) -> torch.optim.AdamW:
    groups = _groups(network, parameters, plan, peak=plan.learning_rate * _ADAMW_RATE)
    capturable = any(parameter.is_cuda for parameter in parameters)
    return torch.optim.AdamW(groups, fused=True, capturable=capturable)


def _groups(
    network: nn.Module, parameters: Sequence[nn.Parameter], plan: TrainingPlan, *, peak: float
) -> list[dict[str, object]]:
    """A group for each decay and each rate of the ``parameters``, whose highest rate is ``peak``."""
    factors = rate_factors(network, plan.layer_decay)
    sorted_out: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
    for parameter in sorted(parameters, key=lambda parameter: parameter.ndim <= 1):
        decay = plan.weight_decay if parameter.ndim > 1 else 0.0
        sorted_out[decay, factors[parameter]].append(parameter)
    return [
        {"params": group, "weight_decay": decay, "peak": factor * peak, "lr": torch.zeros((), device=group[0].device)}
        for (decay, factor), group in sorted_out.items()
    ]
