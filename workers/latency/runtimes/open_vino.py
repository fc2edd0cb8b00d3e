"""OpenVINO on the CPU, with its own choice of precision.

Where the CPU computes bfloat16, OpenVINO runs float networks in it unless told otherwise. It is left to: that is how
the file will run when it is deployed. The version says so, and F1 is scored in the very runtime that is timed.
https://docs.openvino.ai/2025/openvino-workflow/running-inference/optimize-inference/precision-control.html
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from workers.latency.runtimes.registry import RUNTIMES, Array, ModelError, Number, Runtime, RuntimeMissingError, Session

if TYPE_CHECKING:
    import openvino

_TYPES: dict[str, np.dtype[Number]] = {
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "u8": np.dtype(np.uint8),
}


@lru_cache
def _core() -> "openvino.Core":
    try:
        import openvino
    except ImportError as error:
        raise RuntimeMissingError("the package openvino is not installed") from error
    return openvino.Core()


def _version() -> str:
    precision = str(_core().get_property("CPU", "INFERENCE_PRECISION_HINT").to_string())
    import openvino

    number = openvino.get_version().partition("-")[0]
    return f"{number} in bfloat16" if precision == "bf16" else number


def _open(model: bytes, threads: int) -> Session:
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        # It would choose cores itself, whatever the measurement has pinned its thread to.
        "ENABLE_CPU_PINNING": False,
    }
    try:
        compiled = _core().compile_model(_core().read_model(model), "CPU", settings)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO cannot load it: {error}") from error
    described = ", ".join(str(node) for node in compiled.inputs)
    if len(compiled.inputs) != 1 or (kind := compiled.input(0).element_type.to_string()) not in _TYPES:
        raise ModelError(f"a model to time has one input of floats or bytes; this one has {described}")
    if compiled.input(0).partial_shape.is_dynamic:
        raise ModelError(f"its input has free dimensions ({described}): settle them first")
    request = compiled.create_infer_request()

    def run(images: Array) -> Array:
        request.set_input_tensor(openvino.Tensor(images, shared_memory=True))
        request.infer()
        logits: Array = request.get_output_tensor(0).data.copy()
        return logits

    return Session(shape=tuple(compiled.input(0).shape), dtype=_TYPES[kind], run=run)


OPENVINO = Runtime(
    name="openvino", takes="onnx", device="cpu", how_to_get="pip install openvino", version=_version, open=_open
)
RUNTIMES.add(OPENVINO.name, OPENVINO)
