"""Structured pruning: whole channels go, across all layers that depend on each other.

DepGraph, https://arxiv.org/abs/2301.12900, by the package torch-pruning.
"""

import warnings

import torch
import torch_pruning

from search.recipes import StructuredPruning
from workers.compression.registry import NotApplicableError, Workpiece, on_network
from workers.models.profile import count_params

_CHANNELS_MULTIPLE = 8


@on_network(StructuredPruning)
def prune(config: StructuredPruning, piece: Workpiece) -> None:
    """Remove ``ratio`` of the channels of each group, to multiples of 8; the classifier keeps its outputs.

    NotApplicableError if nothing could be removed.
    """
    if piece.masks:
        raise NotApplicableError("structured pruning changes the shapes of pruned weights: put it before unstructured")
    side_px = piece.candidate.image_size
    before = count_params(piece.network)
    piece.network.eval()
    with warnings.catch_warnings():
        # torch-pruning warns of parameters outside its layers that it leaves alone.
        warnings.simplefilter("ignore")
        pruner = torch_pruning.pruner.BasePruner(
            piece.network,
            torch.zeros(1, 3, side_px, side_px),
            importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=config.ratio,
            round_to=_CHANNELS_MULTIPLE,
            ignored_layers=[piece.network.classifier],
        )
        pruner.step()
    if count_params(piece.network) == before:
        raise NotApplicableError(f"no group of channels is wide enough to lose {config.ratio:.0%} in steps of 8")
