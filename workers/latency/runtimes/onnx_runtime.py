"""ONNX Runtime on the CPU, and on NVIDIA's GPUs by CUDA and by TensorRT. https://onnxruntime.ai/docs/execution-providers/"""

from typing import TYPE_CHECKING, Literal

import numpy as np

from workers.latency.runtimes.registry import RUNTIMES, Array, ModelError, Number, Runtime, RuntimeMissingError, Session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_TYPES: dict[str, np.dtype[Number]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
    "tensor(uint8)": np.dtype(np.uint8),
}


def _version(provider: str) -> str:
    try:
        import onnxruntime
    except ImportError as error:
        raise RuntimeMissingError("the package onnxruntime is not installed") from error
    if provider not in onnxruntime.get_available_providers():
        raise RuntimeMissingError(f"this build of onnxruntime has no {provider}")
    return str(onnxruntime.__version__)


def _open(model: bytes, threads: int, provider: str) -> Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(model, options, providers=[provider])
    except Exception as error:  # ONNX Runtime's own errors have no common class
        raise ModelError(f"ONNX Runtime cannot load it: {error}") from error
    if provider not in session.get_providers():
        # Without a driver or a library it would run on the CPU, and be timed as what it is not.
        raise RuntimeMissingError(f"{provider} does not start on this machine: check its driver and libraries")
    return _session(session)


def _session(session: "InferenceSession") -> Session:
    inputs = session.get_inputs()
    described = ", ".join(f"{node.name}: {node.type} {node.shape}" for node in inputs)
    if len(inputs) != 1 or inputs[0].type not in _TYPES:
        raise ModelError(f"a model to time has one input of floats or bytes; this one has {described}")
    if not all(isinstance(size, int) for size in inputs[0].shape):
        raise ModelError(f"its input has free dimensions ({described}): settle them first")
    name, outputs = inputs[0].name, [session.get_outputs()[0].name]

    def run(images: Array) -> Array:
        logits: Array = session.run(outputs, {name: images})[0]
        return logits

    return Session(shape=tuple(inputs[0].shape), dtype=_TYPES[inputs[0].type], run=run)


def _runtime(name: str, provider: str, *, device: Literal["cpu", "gpu"], how_to_get: str) -> Runtime:
    return Runtime(
        name=name,
        takes="onnx",
        device=device,
        how_to_get=how_to_get,
        version=lambda: _version(provider),
        open=lambda model, threads: _open(model, threads, provider),
    )


CPU = _runtime("onnxruntime", "CPUExecutionProvider", device="cpu", how_to_get="pip install onnxruntime")
CUDA = _runtime(
    "onnxruntime-cuda",
    "CUDAExecutionProvider",
    device="gpu",
    how_to_get="pip install onnxruntime-gpu in place of onnxruntime, beside CUDA 12 and cuDNN 9",
)
TENSORRT = _runtime(
    "onnxruntime-tensorrt",
    "TensorrtExecutionProvider",
    device="gpu",
    how_to_get="pip install onnxruntime-gpu tensorrt in place of onnxruntime, beside CUDA 12",
)
for _each in (CPU, CUDA, TENSORRT):
    RUNTIMES.add(_each.name, _each)
