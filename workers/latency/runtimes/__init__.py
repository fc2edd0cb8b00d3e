"""The runtimes that models are timed and scored in, by name."""

from workers.latency.runtimes.onnx_runtime import CPU, CUDA, TENSORRT
from workers.latency.runtimes.open_vino import OPENVINO
from workers.latency.runtimes.pytorch import COMPILED, EAGER, PROGRAM, Eager
from workers.latency.runtimes.registry import ModelError, Runtime, RuntimeMissingError, Session, random_images

__all__ = [
    "CPU",
    "EAGER",
    "PROGRAM",
    "RUNTIMES",
    "Eager",
    "ModelError",
    "Runtime",
    "RuntimeMissingError",
    "Session",
    "random_images",
]

RUNTIMES = {runtime.name: runtime for runtime in (CPU, CUDA, TENSORRT, OPENVINO, EAGER, PROGRAM, COMPILED)}
