"""Bottleneck: a pointwise convolution to fewer channels and a 3x3 one back, with a shortcut, as the competition had it.

After ResNet's (https://arxiv.org/abs/1512.03385).
"""

import torch
from torch import Tensor, nn

from workers.models.activations import ActivationName, activation
from workers.models.arguments import Factor, Flag, Groups, Width
from workers.models.blocks.registry import block, conv_norm


class Bottleneck(nn.Module):
    """[n, c, h, w] -> [n, out, h, w]; the shortcut is there where the number of channels stays."""

    def __init__(self, channels_in: int, out: int, *, shortcut: bool, groups: int, hidden: int, act: str) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_norm(channels_in, hidden, 1),
            activation(act),
            *conv_norm(hidden, out, 3, groups=groups),
            activation("ReLU"),
        )
        self.shortcut = shortcut and channels_in == out

    def forward(self, images: Tensor) -> Tensor:
        filtered: Tensor = self.layers(images)
        return torch.add(images, filtered) if self.shortcut else filtered


@block("Bottleneck", widths=("out",))
def bottleneck(
    channels_in: int,
    out: Width,
    shortcut: Flag = True,
    groups: Groups = 1,
    expansion: Factor = 0.5,
    act: ActivationName = "ReLU",
) -> tuple[nn.Module, int]:
    hidden = max(int(out * expansion), 1)
    return Bottleneck(channels_in, out, shortcut=shortcut, groups=groups, hidden=hidden, act=act), out
