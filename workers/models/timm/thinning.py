"""Thinning a part of a network: whole channels go, across all layers that depend on each other.

Which layers depend on each other is found by torch-pruning (DepGraph, https://arxiv.org/abs/2301.12900). How many
channels remain depends on the width alone, so that costs are exact before any weights are there; which ones remain
depends on the weights: those of the largest L2 norm over all layers of a group.
"""

import warnings
from collections.abc import Sequence

import torch
import torch_pruning
from torch import nn

_CHANNELS_MULTIPLE = 8
#: Enough for the receptive field of one stage to be followed.
_SIDE_PX = 32


def kept_channels(channels: int, width: float) -> int:
    """How many of ``channels`` remain: all for a width of 1, else the nearest multiple of 8, at least 8 if possible."""
    if width == 1.0:
        return channels
    multiples = max(round(channels * width / _CHANNELS_MULTIPLE), 1)
    return min(multiples * _CHANNELS_MULTIPLE, channels)


def thin(part: nn.Sequential, inputs: Sequence[int], *, channels_in: int, width: float) -> Sequence[int]:
    """Remove channels from ``part`` in place; ``inputs`` are the indices of its ``channels_in`` that remain.

    Returns the indices of its output channels that remain. A stream that the part adds to without changing it keeps
    the channels of its input.
    """
    device = next(part.parameters()).device
    example = torch.zeros(1, channels_in, _SIDE_PX, _SIDE_PX, device=device)
    channels_out = part.eval()(example).shape[1]
    with device:
        entry, exit_ = nn.Conv2d(channels_in, channels_in, 1), nn.Conv2d(channels_out, 1, 1)
    # They are in the groups of the first and the last layers, and shall not have a say in what is strong.
    nn.init.ones_(entry.weight)
    nn.init.ones_(exit_.weight)
    whole = nn.Sequential(entry, *part, exit_).eval()
    with warnings.catch_warnings():
        # torch-pruning warns of parameters outside its layers, which it leaves alone.
        warnings.simplefilter("ignore")
        graph = torch_pruning.DependencyGraph().build_dependency(whole, example)
        groups = list(graph.get_all_groups(ignored_layers=[exit_], root_module_types=[nn.Conv2d, nn.Linear]))
        outputs: Sequence[int] = range(channels_out)
        for group in groups:
            kept = inputs if _holds(group, entry, outgoing=True) else _strongest(group, width)
            if _holds(group, exit_, outgoing=False):
                outputs = kept
            root = group[0].dep
            removed = sorted(set(range(len(group[0].idxs))) - set(kept))
            if removed:
                graph.get_pruning_group(root.target.module, root.handler, removed).prune()
    return outputs


def _holds(group: torch_pruning.Group, module: nn.Module, *, outgoing: bool) -> bool:
    """Whether the outgoing, or the incoming, channels of ``module`` are among those of ``group``."""
    handler = torch_pruning.prune_conv_out_channels if outgoing else torch_pruning.prune_conv_in_channels
    return any(item.dep.target.module is module and item.dep.handler == handler for item in group)


def _strongest(group: torch_pruning.Group, width: float) -> Sequence[int]:
    """The indices of the channels of ``group`` that remain, ascending; the first ones where there are no weights."""
    channels = len(group[0].idxs)
    count = kept_channels(channels, width)
    if group[0].dep.target.module.weight.is_meta:
        return range(count)
    importance = torch_pruning.importance.GroupMagnitudeImportance(p=2)(group)
    return sorted(importance.topk(count).indices.tolist())
