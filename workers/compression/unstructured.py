"""Unstructured pruning by L1 (https://arxiv.org/abs/1506.02626): the smallest weights but the classifier's go."""

import torch
from torch import Tensor, nn

from search.contract.recipes import GlobalPruning, GradualPruning, UnstructuredPruning
from workers.compression.fine_tuning import train_on
from workers.compression.registry import NotApplicableError, Workpiece, on_network
from workers.models import Network

#: The part of a gradual pruning's epochs in which the share of zeros rises; it is trained at its last in the rest.
_RISE = 2 / 3


@on_network(UnstructuredPruning)
def prune(config: UnstructuredPruning, piece: Workpiece) -> None:
    """Zero the share of weights that the layer's type is given."""
    for name, module in _prunable(piece.network):
        _mask(piece, name, _largest(module.weight.detach(), 1 - _share(config, module)))


@on_network(GlobalPruning)
def prune_globally(config: GlobalPruning, piece: Workpiece) -> None:
    """Zero ``ratio`` of all weights, wherever the smallest are."""
    _prune_globally(piece, config.ratio)


@on_network(GradualPruning)
def prune_gradually(config: GradualPruning, piece: Workpiece) -> None:
    """Global pruning again before each epoch, with more zeros each time."""
    _prune_globally(piece, rising_share(config, 1))

    def prune_on(epoch: int) -> None:
        if epoch < config.epochs:
            _prune_globally(piece, rising_share(config, epoch + 1))

    train_on(config, piece, after_epoch=prune_on)


def rising_share(config: GradualPruning, epoch: int) -> float:
    """The share of zeros in an epoch, which counts from 1: ``ratio`` times 1 - (1 - progress) ** 3."""
    progress = min(epoch / max(_RISE * config.epochs, 1), 1.0)
    return config.ratio * (1 - (1 - progress) ** 3)


def _prunable(network: Network) -> list[tuple[str, nn.Conv2d | nn.Linear]]:
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


def _share(config: UnstructuredPruning, module: nn.Conv2d | nn.Linear) -> float:
    if isinstance(module, nn.Linear):
        return config.linear
    if module.groups == module.in_channels and module.groups > 1:
        return config.depthwise
    return config.pointwise if module.kernel_size == (1, 1) else config.conv


def _prune_globally(piece: Workpiece, ratio: float) -> None:
    layers = [(name, module.weight.detach()) for name, module in _prunable(piece.network)]
    kept = _largest(torch.cat([weight.flatten() for _, weight in layers]), 1 - ratio)
    parts = torch.split(kept, [weight.numel() for _, weight in layers])
    for (name, weight), part in zip(layers, parts, strict=True):
        _mask(piece, name, part.view_as(weight))


@torch.no_grad()
def _mask(piece: Workpiece, name: str, mask: Tensor) -> None:
    """Zero the weights outside ``mask`` and have them kept so; a mask that is there already is changed in place."""
    piece.masks.setdefault(name, mask).copy_(mask)
    piece.network.get_parameter(name).mul_(mask)


def _largest(weights: Tensor, share: float) -> Tensor:
    """True for the ``share`` of weights with the largest absolute values; at least one stays."""
    keep = max(round(weights.numel() * share), 1)
    mask = torch.zeros(weights.numel(), dtype=torch.bool, device=weights.device)
    mask[weights.abs().flatten().topk(keep).indices] = True
    return mask.view_as(weights)
