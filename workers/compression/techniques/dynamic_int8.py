"""Dynamic int8: activations are quantized while the model runs."""

import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from search.contract.recipes import DynamicInt8
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.static_quantizer import LINEAR_OPERATORS, nodes_with_weights, prepared
from workers.compression.techniques.registry import FILE_TECHNIQUES


@FILE_TECHNIQUES.register("dynamic_int8")
def quantize_while_running(config: DynamicInt8, model: bytes, state: CompressionState) -> bytes:
    """Weights of linear layers now, activations at each run. NotApplicableError without a linear layer.

    Convolutions are left alone: ONNX Runtime's ConvInteger is several times slower than a float convolution.
    """
    if not nodes_with_weights(onnx.load_from_string(model), LINEAR_OPERATORS):
        raise NotApplicableError("dynamic int8 treats linear layers (MatMul, Gemm); the network has none")
    with tempfile.TemporaryDirectory() as folder:
        source, target = prepared(model, Path(folder)), Path(folder) / "int8.onnx"
        quantize_dynamic(source, target, weight_type=QuantType.QInt8, op_types_to_quantize=list(LINEAR_OPERATORS))
        return target.read_bytes()
