"""Unstructured pruning by L1 across the whole network."""

from search.contract.recipes import GlobalPruning
from workers.compression.masks import prune_globally
from workers.compression.state import CompressionState
from workers.compression.techniques.registry import NETWORK_TECHNIQUES


@NETWORK_TECHNIQUES.register("global_pruning")
def prune(config: GlobalPruning, state: CompressionState) -> None:
    """Zero ``ratio`` of all weights, wherever the smallest are."""
    prune_globally(state, config.ratio)
