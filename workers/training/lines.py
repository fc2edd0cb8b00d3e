"""The lines of a network, one module each: what is frozen of them, and by how much their learning rates differ."""

from collections.abc import Sequence

from torch import nn


def freeze(network: nn.Module, layer_decay: float) -> Sequence[nn.Module]:
    """With a ``layer_decay`` of 0, freeze the parameters of all lines but the last one that has any.

    Returns what is frozen: it stays in evaluation mode, so that batch normalizations keep their statistics.
    """
    if layer_decay > 0.0:
        return ()
    frozen = _lines(network)[:-1]
    for line in frozen:
        line.requires_grad_(False)
    return frozen


def rate_factors(network: nn.Module, layer_decay: float) -> dict[nn.Parameter, float]:
    """The factor of the learning rate of each parameter: ``layer_decay`` to the power of its line's depth.

    The last line with parameters has a depth of 0, the one before it of 1, and so on.
    """
    if layer_decay == 1.0:
        return dict.fromkeys(network.parameters(), 1.0)
    deepest_last = reversed(_lines(network))
    return {parameter: layer_decay**depth for depth, line in enumerate(deepest_last) for parameter in line.parameters()}


def _lines(network: nn.Module) -> list[nn.Module]:
    """The lines that have parameters, in order."""
    lines = network.get_submodule("layers").children()
    return [line for line in lines if next(line.parameters(), None) is not None]
