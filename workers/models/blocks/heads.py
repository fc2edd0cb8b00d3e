"""What ends a network: GlobalAvgPool, Flatten and the classifiers, whose width is not scaled: FixedConv and Linear."""

from torch import Tensor, nn

from workers.models.activations import ActivationName, activation
from workers.models.arguments import Groups, Kernel, Padding, Stride, Width
from workers.models.blocks.registry import block


@block("GlobalAvgPool")
def global_average_pool(channels_in: int) -> tuple[nn.Module, int]:
    return nn.AdaptiveAvgPool2d(1), channels_in


class PixelToFeatures(nn.Flatten):
    """[n, c, 1, 1] -> [n, c]. ValueError for more than one pixel: the next layer would depend on the image's size."""

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[2:].numel() != 1:
            raise ValueError(f"Flatten takes one pixel, got {list(images.shape[2:])}: put GlobalAvgPool before it")
        return super().forward(images)


@block("Flatten")
def flatten(channels_in: int) -> tuple[nn.Module, int]:
    return PixelToFeatures(), channels_in


class FlatLinear(nn.Linear):
    """[n, c] -> [n, out]. ValueError for feature maps, on whose columns it would work otherwise."""

    def forward(self, features: Tensor) -> Tensor:
        if features.ndim != 2:
            raise ValueError(f"Linear takes flat features, got {list(features.shape[1:])}: put Flatten before it")
        return super().forward(features)


@block("Linear")
def linear(channels_in: int, out: Width) -> tuple[nn.Module, int]:
    return FlatLinear(channels_in, out), out


@block("FixedConv", stride="stride")
def fixed_conv(
    channels_in: int,
    out: Width,
    kernel: Kernel = 1,
    stride: Stride = 1,
    padding: Padding | None = None,
    groups: Groups = 1,
    act: ActivationName = "Identity",
) -> tuple[nn.Module, int]:
    """A convolution with bias and without normalization, as a classifier is."""
    pad = kernel // 2 if padding is None else padding
    layer = nn.Conv2d(channels_in, out, kernel, stride, pad, groups=groups)
    return (layer if act == "Identity" else nn.Sequential(layer, activation(act))), out
