"""PyTorch on the CPU: a trial's own network run eagerly, and ``.pt2`` programs as they are or compiled by inductor.

https://docs.pytorch.org/docs/stable/export.html, https://docs.pytorch.org/docs/stable/torch.compiler.html
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workers.latency.runtimes.registry import RUNTIMES, Array, ModelError, Number, Runtime, RuntimeMissingError, Session

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Eager:
    """A network that ``make`` makes anew for each session; ``shape`` is its input's, (N, C, H, W), float32."""

    make: Callable[[], "torch.nn.Module"]
    shape: tuple[int, ...]


def _version() -> str:
    try:
        import torch
    except ImportError as error:
        raise RuntimeMissingError("the package torch is not installed") from error
    return str(torch.__version__)


def _compiler_version() -> str:
    version = _version()
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise RuntimeMissingError("inductor finds no C++ compiler") from error
    return version


def _open_network(model: Eager, threads: int) -> Session:
    return _session(model.make().eval(), model.shape, np.dtype(np.float32), threads)


def _open_program(model: bytes, threads: int) -> Session:
    network, shape, dtype = _program(model)
    return _session(network, shape, dtype, threads)


def _open_compiled(model: bytes, threads: int) -> Session:
    import torch

    network, shape, dtype = _program(model)
    session = _session(torch.compile(network), shape, dtype, threads)
    try:
        session.run(np.zeros(shape, dtype))
    except torch._dynamo.exc.TorchDynamoException as error:
        raise ModelError(f"torch.compile fails: {error}") from error
    return session


def _program(model: bytes) -> tuple["torch.nn.Module", tuple[int, ...], np.dtype[Number]]:
    import torch

    try:
        program = torch.export.load(io.BytesIO(model))
    except Exception as error:  # whatever the file is, unpacking it raises its own errors
        raise ModelError(f"it is no program that torch.export.save wrote: {error}") from error
    inputs = [node.meta["val"] for node in program.graph.nodes if node.name in program.graph_signature.user_inputs]
    if len(inputs) != 1 or not isinstance(inputs[0], torch.Tensor):
        raise ModelError(f"a model to time has one input, a tensor; this one has {len(inputs)} inputs")
    if not all(isinstance(size, int) for size in inputs[0].shape):
        raise ModelError(f"its input has free dimensions ({tuple(inputs[0].shape)}): export it for one image")
    return program.module(), tuple(inputs[0].shape), torch.empty(0, dtype=inputs[0].dtype).numpy().dtype


def _session(
    network: Callable[["torch.Tensor"], "torch.Tensor"],
    shape: tuple[int, ...],
    dtype: np.dtype[Number],
    threads: int,
) -> Session:
    import torch

    def run(images: Array) -> Array:
        with _threads(threads), torch.inference_mode():
            logits: Array = network(torch.from_numpy(images)).numpy()
            return logits

    return Session(shape=shape, dtype=dtype, run=run)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """PyTorch's number of threads is the process's: set and restored, which together take less than a microsecond."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


EAGER = Runtime(
    name="torch", takes="network", device="cpu", how_to_get="pip install torch", version=_version, open=_open_network
)
PROGRAM = Runtime(
    name="torch-pt2", takes="pt2", device="cpu", how_to_get="pip install torch", version=_version, open=_open_program
)
COMPILED = Runtime(
    name="torch-compile",
    takes="pt2",
    device="cpu",
    how_to_get="pip install torch, and install g++ or clang++",
    version=_compiler_version,
    open=_open_compiled,
)
for _each in (EAGER, PROGRAM, COMPILED):
    RUNTIMES.add(_each.name, _each)
