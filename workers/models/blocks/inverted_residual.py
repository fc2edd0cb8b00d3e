"""InvertedResidualv2: MobileNetV2's block (https://arxiv.org/abs/1801.04381)."""

from typing import Any

import torch
from torch import Tensor, nn

from workers.models.registry import activation, block, conv_norm


class InvertedResidual(nn.Module):
    """Expand, filter depthwise, project; with a shortcut where the shape stays. [n, c, h, w] -> [n, out, h', w']."""

    def __init__(self, channels_in: int, out: int, *, hidden: int, kernel: int, stride: int) -> None:
        super().__init__()
        expand: list[Any] = [] if hidden == channels_in else [*conv_norm(channels_in, hidden, 1), activation("ReLU")]
        self.layers = nn.Sequential(
            *expand,
            *conv_norm(hidden, hidden, kernel, stride, groups=hidden),
            activation("ReLU"),
            *conv_norm(hidden, out, 1),
        )
        self.shortcut = stride == 1 and channels_in == out

    def forward(self, images: Tensor) -> Tensor:
        filtered: Tensor = self.layers(images)
        return torch.add(images, filtered) if self.shortcut else filtered


@block("InvertedResidualv2", width_at=0, stride_at=2)
def inverted_residual_v2(
    channels_in: int, out: int, expand_t: float, stride: int = 1, kernel: int = 3
) -> tuple[nn.Module, int]:
    hidden = max(round(channels_in * expand_t), 1)
    return InvertedResidual(channels_in, out, hidden=hidden, kernel=kernel, stride=stride), out
