"""timm's own layers as PyTorch's, which folding, pruning and quantization know. What they compute is the same."""

import math

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn import functional


class SamePadding(nn.Module):
    """Pads [n, c, h, w] as TensorFlow does: so that a strided convolution gives ceil(h / stride) x ceil(w / stride)."""

    def __init__(self, kernel: tuple[int, ...], stride: tuple[int, ...]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, features: Tensor) -> Tensor:
        height, width = (
            max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
            for side, kernel, stride in zip(features.shape[2:], self.kernel, self.stride, strict=True)
        )
        return functional.pad(features, (width // 2, width - width // 2, height // 2, height - height // 2))


def with_plain_modules(network: nn.Module) -> nn.Module:
    """Replace timm's layers in place, their weights kept, and return the network."""
    for name, child in network.named_children():
        setattr(network, name, _plain(child))
    return network


def _plain(module: nn.Module) -> nn.Module:
    if isinstance(module, BatchNormAct2d):
        return _normalization(module)
    if isinstance(module, Conv2dSame):
        return _convolution(module)
    return with_plain_modules(module)


def _normalization(module: BatchNormAct2d) -> nn.Module:
    with torch.device(module.weight.device):
        norm = nn.BatchNorm2d(module.num_features, eps=module.eps, momentum=module.momentum)
    norm.load_state_dict(module.state_dict(), assign=True)
    rest = [part for part in (module.drop, module.act) if not isinstance(part, nn.Identity)]
    return nn.Sequential(norm, *rest) if rest else norm


def _convolution(module: Conv2dSame) -> nn.Module:
    kernel, stride = (module.kernel_size[0], module.kernel_size[1]), (module.stride[0], module.stride[1])
    with torch.device(module.weight.device):
        plain = nn.Conv2d(
            module.in_channels,
            module.out_channels,
            kernel,
            stride,
            dilation=(module.dilation[0], module.dilation[1]),
            groups=module.groups,
            bias=module.bias is not None,
        )
    plain.load_state_dict(module.state_dict(), assign=True)
    return nn.Sequential(SamePadding(kernel, stride), plain)
