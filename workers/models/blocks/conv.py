"""Conv and DWConv: a plain convolution, and a depthwise-separable one (MobileNet, https://arxiv.org/abs/1704.04861)."""

from torch import nn

from workers.models.activations import ActivationName, activation
from workers.models.arguments import Groups, Kernel, Padding, Stride, Width
from workers.models.blocks.registry import block, conv_norm


@block("Conv", widths=("out",), stride="stride")
def conv(
    channels_in: int,
    out: Width,
    kernel: Kernel = 1,
    stride: Stride = 1,
    padding: Padding | None = None,
    groups: Groups = 1,
    act: ActivationName = "ReLU",
) -> tuple[nn.Module, int]:
    layers = conv_norm(channels_in, out, kernel, stride, groups=groups, padding=padding)
    return nn.Sequential(*layers, activation(act)), out


@block("DWConv", widths=("out",), stride="stride")
def depthwise_conv(
    channels_in: int,
    out: Width,
    kernel: Kernel = 3,
    stride: Stride = 1,
    padding: Padding | None = None,
    act: ActivationName = "ReLU",
) -> tuple[nn.Module, int]:
    depthwise = conv_norm(channels_in, channels_in, kernel, stride, groups=channels_in, padding=padding)
    pointwise = conv_norm(channels_in, out, 1)
    return nn.Sequential(*depthwise, activation(act), *pointwise, activation(act)), out
