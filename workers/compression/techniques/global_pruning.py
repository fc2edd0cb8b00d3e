"""Unstructured pruning by L1 across the whole network."""

from search.contract.recipes import GlobalPruning
from workers.compression.masks import prune_globally
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.compression.state import Workpiece


@NETWORK_TECHNIQUES.register("global_pruning")
def prune(config: GlobalPruning, piece: Workpiece) -> None:
    """Zero ``ratio`` of all weights, wherever the smallest are."""
    prune_globally(piece, config.ratio)
