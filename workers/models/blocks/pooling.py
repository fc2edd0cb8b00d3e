"""MaxPool, AvgPool and Pass: what has no weights."""

from torch import nn

from workers.models.arguments import Kernel, Padding, Stride
from workers.models.blocks.registry import block


@block("MaxPool", stride="stride")
def max_pool(channels_in: int, kernel: Kernel, stride: Stride = 1, padding: Padding = 0) -> tuple[nn.Module, int]:
    return nn.MaxPool2d(kernel, stride, padding), channels_in


@block("AvgPool", stride="stride")
def average_pool(channels_in: int, kernel: Kernel, stride: Stride = 1, padding: Padding = 0) -> tuple[nn.Module, int]:
    return nn.AvgPool2d(kernel, stride, padding), channels_in


@block("Pass")
def no_operation(channels_in: int) -> tuple[nn.Module, int]:
    return nn.Identity(), channels_in
