"""A network as it is scored on a CPU: without the batch normalizations that follow a convolution."""

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def folded(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode; in each ``nn.Sequential`` a batch normalization right after a convolution is folded
    into it, unless the convolution's weights are parametrized. What it computes is the same but for rounding.
    """
    scored = copy.deepcopy(network).eval()
    for part in scored.modules():
        if isinstance(part, nn.Sequential):
            for position in range(len(part) - 1):
                first, second = part[position], part[position + 1]
                if type(first) is nn.Conv2d and type(second) is nn.BatchNorm2d:
                    part[position], part[position + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return scored
