"""Conv and DWConv: a plain convolution, and a depthwise-separable one (MobileNet, https://arxiv.org/abs/1704.04861)."""

from torch import nn

from workers.models.registry import activation, block, conv_norm


@block("Conv", width_at=0, stride_at=2)
def conv(
    channels_in: int,
    out: int,
    kernel: int = 1,
    stride: int = 1,
    padding: int | None = None,
    groups: int = 1,
    act: str = "ReLU",
) -> tuple[nn.Module, int]:
    layers = conv_norm(channels_in, out, kernel, stride, groups=groups, padding=padding)
    return nn.Sequential(*layers, activation(act)), out


@block("DWConv", width_at=0, stride_at=2)
def depthwise_conv(
    channels_in: int, out: int, kernel: int = 3, stride: int = 1, padding: int | None = None, act: str = "ReLU"
) -> tuple[nn.Module, int]:
    depthwise = conv_norm(channels_in, channels_in, kernel, stride, groups=channels_in, padding=padding)
    pointwise = conv_norm(channels_in, out, 1)
    return nn.Sequential(*depthwise, activation(act), *pointwise, activation(act)), out
