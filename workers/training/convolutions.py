"""Convolutions on a GPU where cuDNN chooses badly, by PyTorch's functions; entered into around a forward pass.

Images a second of a captured step on an H100 (MobileNetV3-small of width 0.5, 96 px, batch 128, torch 2.11): 43,080;
with pointwise convolutions by cuDNN 41,975. Before weights were cast at once: 39,590, and 32,210 with all by cuDNN.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_Pair = tuple[int, int]


class GpuConvolutions(TorchFunctionMode):
    """Calls something else in place of ``conv2d`` for pointwise and some depthwise convolutions."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is functional.conv2d:
            return _conv2d(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _conv2d(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    step, pad = _pair(stride), (0, 0) if padding == "valid" else _pair(padding)
    if weight.shape[2:] == (1, 1) and groups == 1 and step == (1, 1) and pad == (0, 0):
        # In channels_last a matrix product of all pixels, without a copy.
        return functional.linear(images.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)
    if _is_slow_depthwise(images, weight, step, groups) and bias is None and _pair(dilation) == (1, 1):
        half = torch.get_autocast_dtype(images.device.type)
        filtered: Tensor = _Depthwise.apply(images.to(half), weight.to(half), step, pad)
        return filtered
    return functional.conv2d(images, weight, bias, stride, padding, dilation, groups)


def _is_slow_depthwise(images: Tensor, weight: Tensor, stride: _Pair, groups: int) -> bool:
    """Whether cuDNN may compute the weight gradient channel by channel, each by five kernels.

    Seen with filters of 5 and 7, stride 2 and images of 12 px (771 us for 48 channels, 44 by PyTorch's kernel); not of
    6, 24 and 48 px, nor with filters of 3 or stride 1.
    """
    depthwise = groups == weight.shape[0] == images.shape[1]
    return depthwise and weight.shape[2] >= 5 and stride >= (2, 2) and 6 < images.shape[2] < 24


def _pair(value: Any) -> Any:
    """As ``conv2d`` reads it; the padding "same", which goes with a stride of 1 only, stays a word."""
    return (value, value) if isinstance(value, int) else value


class _Depthwise(torch.autograd.Function):
    """``conv2d`` with a group a channel, whose weight gradient is computed by PyTorch's own kernel."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: _Pair, padding: _Pair) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.geometry = (None, stride, padding, (1, 1), False, (0, 0), len(weight))
        return functional.conv2d(images, weight, None, stride, padding, 1, len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        images, weight = ctx.saved_tensors
        convolution = torch.ops.aten.convolution_backward
        of_images, _, _ = convolution(*gradients, images, weight, *ctx.geometry, (True, False, False))
        with torch.backends.cudnn.flags(enabled=False):
            _, of_weight, _ = convolution(*gradients, images, weight, *ctx.geometry, (False, True, False))
        return of_images, of_weight, None, None
