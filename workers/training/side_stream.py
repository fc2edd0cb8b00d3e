"""SideStream: work of a backward pass on a stream of its own, beside the rest of the pass.

The gradients of activations are a chain in which each waits for the one before. Those of weights hang on it, and nobody
waits for them before the optimizer. A small network's kernels leave most of a GPU idle, so the two overlap, in a CUDA
graph as well, which keeps the fork. https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-streams
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from workers.training.device import stream_for

_Result = TypeVar("_Result")


class SideStream:
    """For one backward pass."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = stream_for("weight gradients", device)
        self._read: list[Tensor] = []

    def run(self, work: Callable[[], _Result], *read: Tensor) -> _Result:
        """The result of ``work``, for use after ``join``. Until then the memory of what it has ``read`` is not given to
        others.
        """
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        self._read += read
        with torch.cuda.stream(self._stream):
            return work()

    def join(self) -> None:
        """Let the current stream wait for all that runs here."""
        torch.cuda.current_stream(self._device).wait_stream(self._stream)
        self._read.clear()
