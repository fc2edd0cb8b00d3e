"""MBConv: EfficientNet's inverted residual with squeeze-and-excitation and SiLU (https://arxiv.org/abs/1905.11946)."""

from torch import nn

from workers.models.activations import activation
from workers.models.arguments import Factor, Kernel, Stride, Width
from workers.models.blocks.attention import SqueezeExcitation
from workers.models.blocks.inverted_residual import InvertedResidual
from workers.models.blocks.registry import block, multiple_of_8


@block("MBConv", widths=("out",), stride="stride")
def mbconv(
    channels_in: int, expand_t: Factor, out: Width, stride: Stride = 1, kernel: Kernel = 3
) -> tuple[nn.Module, int]:
    hidden = multiple_of_8(channels_in * expand_t)
    gates = {"inner": activation("SiLU"), "gate": activation("Sigmoid")}
    attention = SqueezeExcitation(hidden, max(1, channels_in // 4), **gates)
    return InvertedResidual(
        channels_in, out, hidden=hidden, kernel=kernel, stride=stride, act="SiLU", attention=attention
    ), out
