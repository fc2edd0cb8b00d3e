"""ShuffleNetV2's unit: one half of the channels is filtered, then both are shuffled (https://arxiv.org/abs/1807.11164)."""

import torch
from torch import Tensor, nn

from workers.models.activations import activation
from workers.models.arguments import Stride, Width
from workers.models.blocks.registry import Unprunable, block, conv_norm, halves


class ShuffleUnit(Unprunable):
    """[n, c, h, w] -> [n, 2 half, h', w']; where the shape changes, both halves are made from all channels."""

    order: Tensor

    def __init__(self, channels_in: int, half: int, *, stride: int) -> None:
        super().__init__()
        self.splits = stride == 1 and channels_in == 2 * half
        taken = half if self.splits else channels_in
        self.filtered = nn.Sequential(
            *conv_norm(taken, half, 1),
            activation("ReLU"),
            *conv_norm(half, half, 3, stride, groups=half),
            *conv_norm(half, half, 1),
            activation("ReLU"),
        )
        self.kept = (
            nn.Identity()
            if self.splits
            else nn.Sequential(
                *conv_norm(channels_in, channels_in, 3, stride, groups=channels_in),
                *conv_norm(channels_in, half, 1),
                activation("ReLU"),
            )
        )

        # The channels of the two halves in turns. Views would say the same, but torch-pruning cannot follow them.
        order = torch.arange(2 * half).view(2, half).t().flatten()
        self.register_buffer("order", order, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        left, right = images.chunk(2, dim=1) if self.splits else (images, images)
        return torch.cat([self.kept(left), self.filtered(right)], dim=1).index_select(1, self.order)


@block("ShuffleNetV2", widths=("out",), stride="stride")
def shufflenet_v2(channels_in: int, out: Width, stride: Stride = 1) -> tuple[nn.Module, int]:
    return ShuffleUnit(channels_in, halves("ShuffleNetV2", out), stride=stride), out
