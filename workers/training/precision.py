"""The forward pass of a training step: in bfloat16 where that is faster, by autocast; in float32 elsewhere.

On CUDA every network gains; all weights are cast at once there, and all gradients back, instead of one by one.

On a CPU with bfloat16 instructions (AVX512-BF16 or AMX) plain convolutions gain and grouped ones lose: so the latter
stay in float32. Images a second of CPU time as a ratio to float32, median [smallest, largest], of 12 random networks
of blocks-small's first version at 64 px, batch 64, one thread of an AMD EPYC with AVX512-BF16, torch 2.14.1:

    all convolutions in bfloat16      0.58 [0.34, 1.57]
    those without groups              1.29 [0.86, 1.64]

Macro F1 on TrashNet after 6 epochs, two networks, 3 seeds each: 0.626 in float32, 0.624 so.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from workers.training.convolutions import GpuConvolutions
from workers.training.side_stream import SideStream

#: Pixels in [0, 1], float [n, 3, h, w] through a network to logits [n, classes].
Forward = Callable[[nn.Module, Tensor], Tensor]


def training_forward(device: torch.device) -> Forward:
    """How a training step on the device calls its network."""
    if device.type == "cuda":
        return _on_cuda
    return _in_bfloat16_but_for_groups if has_bfloat16_instructions() else _plainly


def has_bfloat16_instructions() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _plainly(network: nn.Module, inputs: Tensor) -> Tensor:
    logits: Tensor = network(inputs)
    return logits


def _in_bfloat16_but_for_groups(network: nn.Module, inputs: Tensor) -> Tensor:
    with _GroupedInFloat32(), torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
        logits: Tensor = network(inputs)
    return logits


def _on_cuda(network: nn.Module, inputs: Tensor) -> Tensor:
    weights = dict(_trained_weights(network))
    side = SideStream(inputs.device)
    halves: tuple[Tensor, ...] = _InBfloat16.apply(side, *weights.values())
    with GpuConvolutions(side.run, halves), torch.autocast("cuda", dtype=torch.bfloat16, cache_enabled=False):
        logits: Tensor = functional_call(network, dict(zip(weights, halves, strict=True)), (inputs,))
    return logits


def _trained_weights(network: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """What autocast would cast and a gradient is wanted of, by name."""
    for prefix, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            named = module.named_parameters(prefix, recurse=False)
            yield from ((name, parameter) for name, parameter in named if parameter.requires_grad)


class _Context(Protocol):
    side: SideStream


class _InBfloat16(torch.autograd.Function):
    """Casts tensors at once, and their gradients back, which the side stream has computed by then."""

    @staticmethod
    def forward(ctx: _Context, side: SideStream, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.side = side
        return _cast(weights, torch.bfloat16)

    @staticmethod
    def backward(ctx: _Context, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        ctx.side.join()
        return None, *_cast(gradients, torch.float32)


def _cast(tensors: tuple[Tensor, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    copies = [torch.empty_like(tensor, dtype=dtype) for tensor in tensors]
    torch._foreach_copy_(copies, tensors)
    return tuple(copies)


class _GroupedInFloat32(TorchFunctionMode):
    """Calls ``conv2d`` without autocast where it has groups."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        keywords = kwargs or {}
        if func is functional.conv2d and _groups(args, keywords) != 1:
            images, *others = args
            assert isinstance(images, Tensor)
            convolve: Callable[..., object] = func
            with torch.autocast("cpu", enabled=False):
                return convolve(images.float(), *others, **keywords)
        return func(*args, **keywords)


def _groups(args: tuple[object, ...], keywords: Mapping[str, object]) -> object:
    """The argument ``groups``, the seventh of ``torch.nn.functional.conv2d``."""
    return args[6] if len(args) > 6 else keywords.get("groups", 1)
