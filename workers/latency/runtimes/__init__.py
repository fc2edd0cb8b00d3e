"""The runtimes that models are timed and scored in: every file of this folder registers some."""

from search.registry import import_files
from workers.latency.runtimes.onnx_runtime import CPU
from workers.latency.runtimes.pytorch import EAGER, PROGRAM, Eager
from workers.latency.runtimes.registry import (
    RUNTIMES,
    ModelError,
    Runtime,
    RuntimeMissingError,
    Session,
    random_images,
)

import_files(__name__)

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
