"""ECAInvertedResidualv2 and v3: inverted residuals with efficient channel attention (https://arxiv.org/abs/1910.03151)."""

from torch import nn

from workers.models.arguments import Factor, Flag, Kernel, Stride, Width
from workers.models.blocks.attention import EfficientChannelAttention
from workers.models.blocks.inverted_residual import InvertedResidual
from workers.models.blocks.registry import block, multiple_of_8


def _attention(channels: int, kernel: int | None) -> EfficientChannelAttention:
    if kernel is not None and kernel % 2 == 0:
        raise ValueError(f"the attention's kernel is odd, or null to follow the width, got {kernel}")
    return EfficientChannelAttention(channels, kernel)


@block("ECAInvertedResidualv2", widths=("out",), stride="stride")
def eca_inverted_residual_v2(
    channels_in: int,
    out: Width,
    expand_t: Factor,
    stride: Stride = 1,
    kernel: Kernel = 3,
    eca_kernel: Kernel | None = None,
) -> tuple[nn.Module, int]:
    hidden = max(round(channels_in * expand_t), 1)
    attention = _attention(hidden, eca_kernel)
    return InvertedResidual(channels_in, out, hidden=hidden, kernel=kernel, stride=stride, attention=attention), out


@block("ECAInvertedResidualv3", widths=("out",), stride="stride")
def eca_inverted_residual_v3(
    channels_in: int,
    kernel: Kernel,
    expand_t: Factor,
    out: Width,
    eca_kernel: Kernel | None,
    hs: Flag,
    stride: Stride = 1,
) -> tuple[nn.Module, int]:
    hidden = multiple_of_8(channels_in * expand_t)
    act = "Hardswish" if hs else "ReLU"
    attention = _attention(hidden, eca_kernel)
    return InvertedResidual(
        channels_in, out, hidden=hidden, kernel=kernel, stride=stride, act=act, attention=attention
    ), out
