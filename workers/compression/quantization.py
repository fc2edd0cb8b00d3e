"""Int8 by ONNX Runtime: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from search.recipes import DynamicInt8, StaticInt8
from workers.compression.registry import NotApplicableError, Workpiece, on_file
from workers.export import INPUT, model_input

_DYNAMIC_OPERATORS = ("MatMul", "Gemm", "Conv")


class _Images(CalibrationDataReader):  # type: ignore[misc]
    """Calibration images one at a time, as the exported file takes them."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._inputs: Iterator[dict[str, NDArray[np.float32]]] = ({INPUT: model_input(image[None])} for image in images)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._inputs, None)


@on_file(StaticInt8)
def quantize_with_calibration(config: StaticInt8, model: bytes, piece: Workpiece) -> bytes:
    """Weights per channel, activations by the ranges that the calibration images show (QDQ format)."""
    images = piece.calibration[: config.calibration_images]
    with tempfile.TemporaryDirectory() as folder:
        prepared, target = _prepared(model, Path(folder)), Path(folder) / "int8.onnx"
        quantize_static(
            prepared,
            target,
            _Images(images),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


@on_file(DynamicInt8)
def quantize_while_running(config: DynamicInt8, model: bytes, piece: Workpiece) -> bytes:
    """Weights now, activations at each run. NotApplicableError without a layer that it could treat."""
    if not any(node.op_type in _DYNAMIC_OPERATORS for node in onnx.load_from_string(model).graph.node):
        raise NotApplicableError(f"dynamic int8 treats {', '.join(_DYNAMIC_OPERATORS)}; the network has none of them")
    with tempfile.TemporaryDirectory() as folder:
        prepared, target = _prepared(model, Path(folder)), Path(folder) / "int8.onnx"
        quantize_dynamic(prepared, target, weight_type=QuantType.QUInt8, op_types_to_quantize=list(_DYNAMIC_OPERATORS))
        return target.read_bytes()


def _prepared(model: bytes, folder: Path) -> Path:
    """The model with inferred shapes and folded batch normalization, which the quantizers want."""
    source, target = folder / "fp32.onnx", folder / "prepared.onnx"
    source.write_bytes(model)
    quant_pre_process(source, target)
    return target
