"""InvertedResidualv2 and v3: MobileNetV2's and MobileNetV3's blocks.

https://arxiv.org/abs/1801.04381 and https://arxiv.org/abs/1905.02244.
"""

import torch
from torch import Tensor, nn

from workers.models.activations import activation
from workers.models.arguments import Factor, Flag, Kernel, Stride, Width
from workers.models.blocks.attention import SqueezeExcitation
from workers.models.blocks.registry import block, conv_norm, multiple_of_8


class InvertedResidual(nn.Module):
    """Expand, filter depthwise, weigh, project; with a shortcut where the shape stays.

    [n, c, h, w] -> [n, out, h', w']. ``attention`` keeps the shape of the ``hidden`` channels; None for none.
    """

    def __init__(
        self,
        channels_in: int,
        out: int,
        *,
        hidden: int,
        kernel: int,
        stride: int,
        act: str = "ReLU",
        attention: nn.Module | None = None,
    ) -> None:
        super().__init__()
        expand: list[nn.Module] = [] if hidden == channels_in else [*conv_norm(channels_in, hidden, 1), activation(act)]
        self.layers = nn.Sequential(
            *expand,
            *conv_norm(hidden, hidden, kernel, stride, groups=hidden),
            activation(act),
            *([] if attention is None else [attention]),
            *conv_norm(hidden, out, 1),
        )
        self.shortcut = stride == 1 and channels_in == out and kernel % 2 == 1

    def forward(self, images: Tensor) -> Tensor:
        filtered: Tensor = self.layers(images)
        return torch.add(images, filtered) if self.shortcut else filtered


@block("InvertedResidualv2", widths=("out",), stride="stride")
def inverted_residual_v2(
    channels_in: int, out: Width, expand_t: Factor, stride: Stride = 1, kernel: Kernel = 3
) -> tuple[nn.Module, int]:
    hidden = max(round(channels_in * expand_t), 1)
    return InvertedResidual(channels_in, out, hidden=hidden, kernel=kernel, stride=stride), out


@block("InvertedResidualv3", widths=("out",), stride="stride")
def inverted_residual_v3(
    channels_in: int,
    kernel: Kernel,
    expand_t: Factor,
    out: Width,
    se: Flag,
    hs: Flag,
    stride: Stride = 1,
) -> tuple[nn.Module, int]:
    hidden = multiple_of_8(channels_in * expand_t)
    attention = None
    if se:
        gates = {"inner": activation("ReLU"), "gate": activation("Hardsigmoid")}
        attention = SqueezeExcitation(hidden, multiple_of_8(hidden / 4), **gates)
    act = "Hardswish" if hs else "ReLU"
    return InvertedResidual(
        channels_in, out, hidden=hidden, kernel=kernel, stride=stride, act=act, attention=attention
    ), out
