"""Unstructured L1 pruning: the smallest weights of each layer become zero (https://arxiv.org/abs/1506.02626)."""

import torch
from torch import Tensor, nn

from search.recipes import UnstructuredPruning
from workers.compression.registry import Workpiece, on_network


@on_network(UnstructuredPruning)
def prune(config: UnstructuredPruning, piece: Workpiece) -> None:
    """Zero the share of weights that the layer's type is given; the classifier is left whole."""
    classifier = piece.network.classifier
    for name, module in piece.network.named_modules():
        share = _share(config, module)
        if share is None or module is classifier:
            continue
        weight: Tensor = module.weight
        mask = _largest(weight.detach(), 1 - share)
        piece.masks[f"{name}.weight"] = mask
        with torch.no_grad():
            weight.mul_(mask)


def _share(config: UnstructuredPruning, module: nn.Module) -> float | None:
    if isinstance(module, nn.Linear):
        return config.linear
    if not isinstance(module, nn.Conv2d):
        return None
    if module.groups == module.in_channels and module.groups > 1:
        return config.depthwise
    return config.pointwise if module.kernel_size == (1, 1) else config.conv


def _largest(weight: Tensor, share: float) -> Tensor:
    """True for the ``share`` of weights with the largest absolute values; at least one stays."""
    keep = max(round(weight.numel() * share), 1)
    mask = torch.zeros(weight.numel(), dtype=torch.bool, device=weight.device)
    mask[weight.abs().flatten().topk(keep).indices] = True
    return mask.view_as(weight)
