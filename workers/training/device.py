"""What the engine asks of a device: settings before a training, streams, and what a full memory means."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Literal

import torch

from workers.training.errors import DeviceMemoryError


def prepare_device(device: torch.device, memory_share: float) -> None:
    """Let this process have ``memory_share`` of a GPU's memory, and repeat itself at a fixed seed.

    Trying out algorithms (``cudnn.benchmark``) takes 20 seconds a network, longer than many trainings.
    """
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.cuda.set_per_process_memory_fraction(memory_share, device)


@lru_cache
def stream_for(purpose: Literal["capture", "weight gradients"], device: torch.device) -> torch.cuda.Stream:
    """The one of this process: cuBLAS keeps a workspace for every stream that it ever ran on."""
    return torch.cuda.Stream(device)


@contextmanager
def memory_advice(batch_size: int, side_px: int) -> Iterator[None]:
    """DeviceMemoryError in place of torch.OutOfMemoryError."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceMemoryError(
            f"the device's memory is full at batch size {batch_size} and {side_px} px: train with smaller batches or "
            "images, or give each trial a larger share of the GPU (resources.gpus_per_trial)"
        ) from error
