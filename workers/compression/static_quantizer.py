"""Int8 by ONNX Runtime: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html."""

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from search.contract.recipes import Calibration
from workers.predictors import INPUT, model_input

LINEAR_OPERATORS = ("MatMul", "Gemm")
OPERATORS_WITH_WEIGHTS = (*LINEAR_OPERATORS, "Conv")
_METHODS: dict[Calibration, CalibrationMethod] = {
    "minmax": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}


def nodes_with_weights(model: onnx.ModelProto, operators: Sequence[str] = OPERATORS_WITH_WEIGHTS) -> list[str]:
    """The names of the nodes of these kinds one of whose inputs is stored in the file."""
    stored = {tensor.name for tensor in model.graph.initializer}
    return [node.name for node in model.graph.node if node.op_type in operators and stored & set(node.input)]


class StaticQuantizer:
    """Quantizes one model again and again, for different layers, whose ranges are computed once.

    A context: its files live in a temporary folder.
    """

    def __init__(self, model: bytes, images: NDArray[np.uint8], calibration: Calibration) -> None:
        """``images`` uint8 [n, side, side, 3] show the ranges of the activations."""
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name)
        self._images, self._method = images, _METHODS[calibration]
        self._prepared = prepared(model, self._path)
        self.layers = nodes_with_weights(onnx.load(self._prepared))

    def __enter__(self) -> "StaticQuantizer":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def quantized(self, *, only: Sequence[str] = (), without: Sequence[str] = ()) -> bytes:
        """The model with the layers ``only`` in int8, all without any; and never those in ``without``."""
        target = self._path / "int8.onnx"
        with redirect_stdout(io.StringIO()):  # where the calibration by histograms tells of its progress
            quantize_static(
                self._prepared,
                target,
                _Images(self._images),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=self._method,
                nodes_to_quantize=list(only),
                nodes_to_exclude=list(without),
                calibration_cache_path=self._path / "ranges.json",
            )
        return target.read_bytes()


class _Images(CalibrationDataReader):  # type: ignore[misc]
    """Calibration images one at a time, as the exported file takes them."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._inputs: Iterator[dict[str, NDArray[np.float32]]] = ({INPUT: model_input(image[None])} for image in images)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._inputs, None)


def prepared(model: bytes, folder: Path) -> Path:
    """The model with inferred shapes and folded batch normalization, which the quantizers want."""
    source, target = folder / "fp32.onnx", folder / "prepared.onnx"
    source.write_bytes(model)
    quant_pre_process(source, target)
    return target
