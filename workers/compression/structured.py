"""Structured pruning: whole channels go, across all layers that depend on each other.

DepGraph, https://arxiv.org/abs/2301.12900, by the package torch-pruning.
"""

import warnings

import torch
import torch_pruning

from search.recipes import StructuredPruning
from workers.compression.registry import NotApplicableError, Workpiece, on_network
from workers.models import ArchitectureError, Network
from workers.models.profile import count_macs, count_params
from workers.models.registry import Unprunable

_CHANNELS_MULTIPLE = 8


@on_network(StructuredPruning)
def prune(config: StructuredPruning, piece: Workpiece) -> None:
    """Remove ``ratio`` of the channels of each group, to multiples of 8; the classifier keeps its outputs, and blocks
    that cannot be pruned keep their channels.

    NotApplicableError if nothing could be removed, or torch-pruning cannot tell which channels depend on each other.
    """
    if piece.masks:
        raise NotApplicableError("structured pruning changes the shapes of pruned weights: put it before unstructured")
    before = count_params(piece.network)
    try:
        _prune(piece.network, config.ratio, piece.candidate.image_size)
    except (ZeroDivisionError, RuntimeError, ArchitectureError) as error:
        raise NotApplicableError(f"torch-pruning cannot follow this network: {error}") from error
    if count_params(piece.network) == before:
        raise NotApplicableError(f"no group of channels is wide enough to lose {config.ratio:.0%} in steps of 8")


def _prune(network: Network, ratio: float, side_px: int) -> None:
    network.eval()
    with warnings.catch_warnings():
        # torch-pruning warns of parameters outside its layers that it leaves alone.
        warnings.simplefilter("ignore")
        pruner = torch_pruning.pruner.BasePruner(
            network,
            torch.zeros(1, 3, side_px, side_px),
            importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=ratio,
            round_to=_CHANNELS_MULTIPLE,
            ignored_layers=[
                network.classifier,
                *(module for module in network.modules() if isinstance(module, Unprunable)),
            ],
        )
        pruner.step()
    count_macs(network, side_px)
