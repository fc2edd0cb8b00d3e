"""Runtime: something that runs a model; and the runtimes by name.

RuntimeMissingError    it is not installed here: says how to get it; a retry makes no sense before
ModelError             it is installed, but cannot run this model: says why
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from search.registry import Registry

#: What goes into a model and comes out of it.
Number = np.float16 | np.float32 | np.uint8
Array = NDArray[Number]


class RuntimeMissingError(RuntimeError):
    """The runtime is not installed, or has no device here."""


class ModelError(ValueError):
    """The model is broken, or not one that the runtime can run."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """An opened model. ``run`` takes an array of ``shape`` and ``dtype`` and returns the first output, in the host's
    memory.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Number]
    run: Callable[[Array], Array]


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """``open(model, threads)`` opens a fresh session; ModelError where that is impossible.

    takes: what ``model`` is: the bytes of an ONNX file, those of a ``.pt2`` program, or a ``pytorch.Eager`` network.
    version: RuntimeMissingError where the runtime is missing. how_to_get: said then.
    """

    name: str
    takes: Literal["onnx", "pt2", "network"]
    device: Literal["cpu", "gpu"]
    how_to_get: str
    version: Callable[[], str]
    open: Callable[[Any, int], Session]

    @property
    def missing(self) -> str | None:
        """Why the runtime cannot be used here and how to get it; None where it can."""
        try:
            self.version()
        except RuntimeMissingError as error:
            return f"{self.name} is missing here ({error}): {self.how_to_get}"
        return None

    def require(self) -> None:
        """RuntimeMissingError, with how to get it, where it is missing."""
        if (missing := self.missing) is not None:
            raise RuntimeMissingError(missing)


#: As a study's target or ``seedleaf bench --runtime`` names them.
RUNTIMES = Registry[Runtime](
    "runtime",
    order=(
        "onnxruntime",
        "onnxruntime-cuda",
        "onnxruntime-tensorrt",
        "openvino",
        "torch",
        "torch-pt2",
        "torch-compile",
    ),
)


def random_images(session: Session) -> Array:
    """Images to time a session with: what they show does not matter, but zeros would be too easy."""
    uniform = np.random.default_rng(0).random(session.shape, dtype=np.float32)
    return (uniform * 255).astype(session.dtype) if session.dtype.kind in "iu" else uniform.astype(session.dtype)
