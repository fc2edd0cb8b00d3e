"""Subjects of the two runtimes: an ONNX file in ONNX Runtime, and a PyTorch module run eagerly, on the CPU."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workers.latency.subject import Run, Subject

if TYPE_CHECKING:
    import torch


def onnx_subject(key: str, model_bytes: bytes) -> Subject:
    """Time ``model_bytes``, which has one float input whose only free dimension is the first, the batch.

    ``open`` raises ValueError for a model with other inputs.
    """

    def open_session(threads: int) -> Run:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])
        feed = _random_feed(session.get_inputs())
        return lambda: session.run(None, feed)

    return Subject(key=key, open=open_session)


def torch_subject(key: str, make_module: Callable[[], "torch.nn.Module"], input_shape: tuple[int, ...]) -> Subject:
    """Time a module that ``make_module`` makes anew for each session, on one input of ``input_shape`` (C, H, W).

    Each run sets PyTorch's number of threads and restores it (together less than a microsecond).
    """

    def open_session(threads: int) -> Run:
        import torch

        module = make_module().eval()
        image = torch.rand((1, *input_shape), generator=torch.Generator().manual_seed(0))

        def run() -> object:
            before = torch.get_num_threads()
            torch.set_num_threads(threads)
            try:
                with torch.inference_mode():
                    return module(image)
            finally:
                torch.set_num_threads(before)

        return run

    return Subject(key=key, open=open_session)


def _random_feed(inputs: list[Any]) -> dict[str, npt.NDArray[np.float32]]:
    described = ", ".join(f"{node.name}: {node.type} {node.shape}" for node in inputs)
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        raise ValueError(f"a model to time has one float input; this one has {described}")
    _, *sizes = inputs[0].shape
    if not all(isinstance(size, int) for size in sizes):
        raise ValueError(f"export the model with a fixed image size: only the batch may be free in {described}")
    return {inputs[0].name: np.random.default_rng(0).random((1, *sizes), dtype=np.float32)}
