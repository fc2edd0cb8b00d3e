"""Fire: SqueezeNet's block, a narrow pointwise convolution before a wide pair (https://arxiv.org/abs/1602.07360)."""

import torch
from torch import Tensor, nn

from workers.models.activations import activation
from workers.models.arguments import Width
from workers.models.blocks.registry import block, conv_norm


class Fire(nn.Module):
    """[n, c, h, w] -> [n, expand1 + expand3, h, w]."""

    def __init__(self, channels_in: int, squeeze: int, expand1: int, expand3: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(*conv_norm(channels_in, squeeze, 1), activation("ReLU"))
        self.pointwise = nn.Sequential(*conv_norm(squeeze, expand1, 1), activation("ReLU"))
        self.wide = nn.Sequential(*conv_norm(squeeze, expand3, 3), activation("ReLU"))

    def forward(self, images: Tensor) -> Tensor:
        squeezed = self.squeeze(images)
        return torch.cat([self.pointwise(squeezed), self.wide(squeezed)], dim=1)


@block("Fire", widths=("squeeze", "expand1", "expand3"))
def fire(channels_in: int, squeeze: Width, expand1: Width, expand3: Width) -> tuple[nn.Module, int]:
    return Fire(channels_in, squeeze, expand1, expand3), expand1 + expand3
