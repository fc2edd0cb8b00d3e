"""What weighs the channels of a feature map by their means; parts of blocks, no blocks of their own."""

import math

import torch
from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Two pointwise convolutions on the means of the channels (https://arxiv.org/abs/1709.01507). Keeps the shape."""

    def __init__(self, channels: int, squeezed: int, *, inner: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, squeezed, 1), inner, nn.Conv2d(squeezed, channels, 1), gate
        )

    def forward(self, images: Tensor) -> Tensor:
        return torch.mul(images, self.layers(images))


class EfficientChannelAttention(nn.Module):
    """One convolution along the means of the channels (https://arxiv.org/abs/1910.03151). Keeps the shape.

    The kernel grows with the number of channels as in the paper, unless it is given.
    """

    def __init__(self, channels: int, kernel: int | None = None) -> None:
        super().__init__()
        if kernel is None:
            kernel = int((math.log2(channels) + 1) / 2) | 1
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)
        self.gate = nn.Sigmoid()

    def forward(self, images: Tensor) -> Tensor:
        means = self.pool(images).flatten(2).transpose(1, 2)
        return torch.mul(images, self.gate(self.conv(means)).transpose(1, 2).unsqueeze(3))
