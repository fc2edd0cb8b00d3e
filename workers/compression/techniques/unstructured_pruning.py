"""Unstructured pruning by L1, a fraction of each layer (https://arxiv.org/abs/1506.02626)."""

from torch import nn

from search.contract.recipes import UnstructuredPruning
from workers.compression.masks import keep_largest, mask_weight, prunable_layers
from workers.compression.state import CompressionState
from workers.compression.techniques.registry import NETWORK_TECHNIQUES


@NETWORK_TECHNIQUES.register("unstructured_pruning")
def prune(config: UnstructuredPruning, state: CompressionState) -> None:
    """Zero the fraction of weights that the layer's type is given."""
    for name, module in prunable_layers(state.network):
        mask_weight(state, name, keep_largest(module.weight.detach(), 1 - _fraction(config, module)))


def _fraction(config: UnstructuredPruning, module: nn.Conv2d | nn.Linear) -> float:
    if isinstance(module, nn.Linear):
        return config.linear
    if module.groups == module.in_channels and module.groups > 1:
        return config.depthwise
    return config.pointwise if module.kernel_size == (1, 1) else config.conv
