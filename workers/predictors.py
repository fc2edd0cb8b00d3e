"""From an exported file and images to logits, in any runtime; this module needs no PyTorch."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workers.latency.runtimes import CPU, PROGRAM, Runtime

Logits = NDArray[np.float32]
Predict = Callable[[NDArray[np.uint8]], Logits]
#: The names of an exported file's input and output.
INPUT, OUTPUT = "images", "logits"


def onnx_predictor(model: bytes, *, threads: int = 1) -> Predict:
    """A function from uint8 images [n, side, side, 3] to logits [n, classes], one image at a time as deployed."""
    return runtime_predictor(CPU, model, threads=threads)


def program_predictor(program: bytes, *, threads: int = 1) -> Predict:
    """``onnx_predictor`` for a ``.pt2`` file."""
    return runtime_predictor(PROGRAM, program, threads=threads)


def runtime_predictor(runtime: Runtime, model: bytes, *, threads: int = 1) -> Predict:
    """``onnx_predictor`` in any runtime that takes the file."""
    session = runtime.open(model, threads)

    def predict(images: NDArray[np.uint8]) -> Logits:
        return np.concatenate([session.run(model_input(image[None])) for image in images])

    return predict


def model_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [n, side, side, 3] to what an exported file takes: float32 [n, 3, side, side] in [0, 1]."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)
