"""Masks that keep the smallest weights by absolute value (L1) at zero; the classifier has none."""

import torch
from torch import Tensor, nn

from workers.compression.state import CompressionState, NotApplicableError
from workers.models import Network


def prunable_layers(network: Network) -> list[tuple[str, nn.Conv2d | nn.Linear]]:
    """The weights' names and their layers. NotApplicableError if there are none beside the classifier."""
    classifier = network.classifier
    layers = [
        (f"{name}.weight", module)
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and module is not classifier
    ]
    if not layers:
        raise NotApplicableError("pruning of weights leaves the classifier as it is; the network has no other layer")
    return layers


def prune_globally(state: CompressionState, ratio: float) -> None:
    layers = [(name, module.weight.detach()) for name, module in prunable_layers(state.network)]
    kept = keep_largest(torch.cat([weight.flatten() for _, weight in layers]), 1 - ratio)
    parts = torch.split(kept, [weight.numel() for _, weight in layers])
    for (name, weight), part in zip(layers, parts, strict=True):
        mask_weight(state, name, part.view_as(weight))


@torch.no_grad()
def mask_weight(state: CompressionState, name: str, mask: Tensor) -> None:
    """Zero the weights outside ``mask`` and have them kept so; a mask that is there already is changed in place."""
    state.masks.setdefault(name, mask).copy_(mask)
    state.network.get_parameter(name).mul_(mask)


def keep_largest(weights: Tensor, fraction: float) -> Tensor:
    """True for the ``fraction`` of weights with the largest absolute values; at least one stays."""
    keep = max(round(weights.numel() * fraction), 1)
    mask = torch.zeros(weights.numel(), dtype=torch.bool, device=weights.device)
    mask[weights.abs().flatten().topk(keep).indices] = True
    return mask.view_as(weights)
