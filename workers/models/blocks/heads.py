"""What ends a network: GlobalAvgPool and FixedConv, the 1x1 classifier whose width is not scaled."""

from torch import nn

from workers.models.registry import block


@block("GlobalAvgPool")
def global_average_pool(channels_in: int) -> tuple[nn.Module, int]:
    return nn.AdaptiveAvgPool2d(1), channels_in


@block("FixedConv")
def fixed_conv(channels_in: int, out: int, kernel: int = 1) -> tuple[nn.Module, int]:
    return nn.Conv2d(channels_in, out, kernel), out
