"""Ghost: half of the channels by a convolution, the other half by cheap filters of those (https://arxiv.org/abs/1911.11907)."""

import torch
from torch import Tensor, nn

from workers.models.activations import ActivationName, activation
from workers.models.arguments import Kernel, Stride, Width
from workers.models.blocks.registry import block, conv_norm, halves


class Ghost(nn.Module):
    """[n, c, h, w] -> [n, 2 half, h', w']."""

    def __init__(self, channels_in: int, half: int, *, kernel: int, stride: int, act: str) -> None:
        super().__init__()
        self.primary = nn.Sequential(*conv_norm(channels_in, half, kernel, stride), activation(act))
        self.cheap = nn.Sequential(*conv_norm(half, half, 3, groups=half), activation(act))

    def forward(self, images: Tensor) -> Tensor:
        made = self.primary(images)
        return torch.cat([made, self.cheap(made)], dim=1)


@block("Ghost", widths=("out",), stride="stride")
def ghost(
    channels_in: int, out: Width, kernel: Kernel = 1, stride: Stride = 1, act: ActivationName = "ReLU"
) -> tuple[nn.Module, int]:
    return Ghost(channels_in, halves("Ghost", out), kernel=kernel, stride=stride, act=act), out
