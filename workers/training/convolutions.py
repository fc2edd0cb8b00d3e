"""Convolutions of a training step on a GPU; entered into around a forward pass, by PyTorch's functions.

Pointwise ones are matrix products; the gradients of weights are computed beside the backward pass, and by PyTorch's own
kernel where cuDNN chooses badly. Images a second of a captured step on an H100, steady (MobileNetV3-small of width 0.5,
96 px, batch 128, torch 2.11): 49,130, median of 4; with the gradients of weights in the backward pass 43,450, of 2. On
another day, without the second stream: 43,080, and 41,975 with pointwise convolutions by cuDNN.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_Pair = tuple[int, int]
_Gradients = tuple[Tensor, Tensor | None]
#: Runs work that reads the tensors.
Run = Callable[..., _Gradients]


class GpuConvolutions(TorchFunctionMode):
    """Calls something else in place of ``conv2d`` where the weight is learned.

    The gradients of ``patient`` weights, that nothing uses before the end of the backward pass, are computed by
    ``run``. Such a weight is used once in a forward pass: the gradients of two uses would be added at once.
    """

    def __init__(self, run: Run, patient: Iterable[Tensor]) -> None:
        super().__init__()
        self._run, self._patient = run, frozenset(map(id, patient))

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        called: Callable[..., object] = self._conv2d if func is functional.conv2d else func
        return called(*args, **(kwargs or {}))

    def _conv2d(
        self,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | _Pair = 1,
        padding: str | int | _Pair = 0,
        dilation: int | _Pair = 1,
        groups: int = 1,
    ) -> Tensor:
        if isinstance(padding, str) or not weight.requires_grad:
            return functional.conv2d(images, weight, bias, stride, padding, dilation, groups)
        learned = [tensor for tensor in (weight, bias) if tensor is not None and tensor.requires_grad]
        run = self._run if all(id(tensor) in self._patient for tensor in learned) else _at_once
        half = torch.get_autocast_dtype(images.device.type)
        halves = images.to(half), weight.to(half), None if bias is None else bias.to(half)
        step, pad = _pair(stride), _pair(padding)
        result: Tensor
        if weight.shape[2:] == (1, 1) and groups == 1 and step == (1, 1) and pad == (0, 0):
            result = _Pointwise.apply(run, *halves)
        else:
            result = _Convolution.apply(run, *halves, step, pad, _pair(dilation), groups)
        return result


def _at_once(work: Callable[[], _Gradients], *read: Tensor) -> _Gradients:
    return work()


def _pair(value: int | _Pair) -> _Pair:
    return (value, value) if isinstance(value, int) else value


class _Context(Protocol):
    """What a forward pass keeps for its backward pass."""

    run: Run
    has_bias: bool

    @property
    def saved_tensors(self) -> tuple[Tensor, Tensor]: ...

    @property
    def needs_input_grad(self) -> tuple[bool, ...]: ...

    def save_for_backward(self, images: Tensor, weight: Tensor) -> None: ...


class _ConvolutionContext(_Context, Protocol):
    geometry: tuple[object, ...]
    by_cudnn: bool


class _Pointwise(torch.autograd.Function):
    """In channels_last a matrix product of all pixels, without a copy."""

    @staticmethod
    def forward(ctx: _Context, run: Run, images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.run, ctx.has_bias = run, bias is not None
        ctx.save_for_backward(images, weight)
        return functional.linear(images.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: _Context, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        images, weight = ctx.saved_tensors
        pixels = gradients[0].permute(0, 2, 3, 1)

        def of_weights() -> _Gradients:
            flat = pixels.flatten(0, 2)
            of_weight = (flat.T @ images.permute(0, 2, 3, 1).flatten(0, 2)).view_as(weight)
            return of_weight, flat.sum(dim=0) if ctx.has_bias else None

        of_weight, of_bias = ctx.run(of_weights, images, pixels)
        of_images = (pixels @ weight.flatten(1)).permute(0, 3, 1, 2) if ctx.needs_input_grad[1] else None
        return None, of_images, of_weight, of_bias


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _ConvolutionContext,
        run: Run,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: _Pair,
        padding: _Pair,
        dilation: _Pair,
        groups: int,
    ) -> Tensor:
        ctx.run, ctx.has_bias = run, bias is not None
        ctx.geometry = (None if bias is None else bias.shape, stride, padding, dilation, False, (0, 0), groups)
        ctx.by_cudnn = not _is_slow_in_cudnn(images, weight, stride, groups)
        ctx.save_for_backward(images, weight)
        return functional.conv2d(images, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: _ConvolutionContext, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        images, weight = ctx.saved_tensors
        convolution = torch.ops.aten.convolution_backward

        def of_weights() -> _Gradients:
            with torch.backends.cudnn.flags(enabled=ctx.by_cudnn):
                wanted = (False, True, ctx.has_bias)
                _, of_weight, of_bias = convolution(*gradients, images, weight, *ctx.geometry, wanted)
            return of_weight, of_bias

        of_weight, of_bias = ctx.run(of_weights, images, *gradients)
        of_images = None
        if ctx.needs_input_grad[1]:
            of_images, _, _ = convolution(*gradients, images, weight, *ctx.geometry, (True, False, False))
        return None, of_images, of_weight, of_bias, None, None, None, None


def _is_slow_in_cudnn(images: Tensor, weight: Tensor, stride: _Pair, groups: int) -> bool:
    """Whether cuDNN may compute the weight gradient channel by channel, each by five kernels.

    Seen with depthwise filters of 5 and 7, stride 2 and images of 12 px (771 us for 48 channels, 36 by PyTorch's
    kernel); not of 6, 24 and 48 px, nor with filters of 3 or stride 1.
    """
    is_depthwise = groups == weight.shape[0] == images.shape[1]
    return is_depthwise and weight.shape[2] >= 5 and stride >= (2, 2) and 6 < images.shape[2] < 24
