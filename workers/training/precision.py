"""The number format of a training step's network: bfloat16 where that is faster, by autocast; float32 elsewhere.

On CUDA every network gains. On a CPU with bfloat16 instructions (AVX512-BF16 or AMX) plain convolutions gain and
grouped ones lose: so the latter stay in float32. Images a second of CPU time as a ratio to float32, median [smallest,
largest], of 12 random networks of blocks-small's first version at 64 px, batch 64, one thread of an AMD EPYC with
AVX512-BF16, torch 2.14.1:

    all convolutions in bfloat16      0.58 [0.34, 1.57]
    those without groups              1.29 [0.86, 1.64]

Macro F1 on TrashNet after 6 epochs, two networks, 3 seeds each: 0.626 in float32, 0.624 so.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Precision = Callable[[], AbstractContextManager[object]]


def training_precision(device: torch.device) -> Precision:
    """What the forward pass of a training step on the device is entered into."""
    if device.type == "cuda":
        return lambda: torch.autocast("cuda", dtype=torch.bfloat16, cache_enabled=False)
    return _plain_convolutions_in_bfloat16 if has_bfloat16_instructions() else nullcontext


def has_bfloat16_instructions() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@contextmanager
def _plain_convolutions_in_bfloat16() -> Iterator[None]:
    with _GroupedInFloat32(), torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
        yield


class _GroupedInFloat32(TorchFunctionMode):
    """Calls ``conv2d`` without autocast where it has groups."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        keywords = kwargs or {}
        if func is functional.conv2d and _groups(*args, **keywords) > 1:
            with torch.autocast("cpu", enabled=False):
                return func(args[0].float(), *args[1:], **keywords)
        return func(*args, **keywords)


def _groups(
    images: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> int:
    """The argument of ``torch.nn.functional.conv2d``."""
    return groups
