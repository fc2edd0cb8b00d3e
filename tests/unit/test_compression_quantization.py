"""What works on the exported file: int8 in its kinds, and weights of 16 bits."""

import logging
from functools import cache

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from search.contract.candidate import Layer
from search.contract.recipes import Calibration, DynamicInt8, HalfPrecision, MixedInt8, StaticInt8
from tests.unit.compression_states import compression_state
from tests.unit.training_sets import CLASSES, coloured_images
from workers.compression.state import NotApplicableError
from workers.compression.static_quantizer import StaticQuantizer
from workers.compression.techniques import dynamic_int8, half_precision, mixed_int8, static_int8
from workers.export import to_onnx
from workers.predictors import onnx_predictor

IMAGES, LABELS = coloured_images(48, seed=1)
LINEAR: tuple[Layer, ...] = (
    (1, "Conv", (16, 3, 2)),
    (1, "Conv", (64, 3, 2)),
    (1, "GlobalAvgPool", ()),
    (1, "Flatten", ()),
    (1, "Linear", (CLASSES,)),
)


@cache
def exported(backbone: tuple[Layer, ...] | None = None) -> bytes:
    state = compression_state() if backbone is None else compression_state(backbone=backbone)
    return to_onnx(state.network, state.candidate.image_size)


def weight_types(model: bytes) -> list[int]:
    """The types of the stored convolution weights."""
    return [tensor.data_type for tensor in onnx.load_from_string(model).graph.initializer if len(tensor.dims) == 4]


def agreement(model: bytes, other: bytes) -> float:
    return float((onnx_predictor(model)(IMAGES).argmax(1) == onnx_predictor(other)(IMAGES).argmax(1)).mean())


@pytest.mark.parametrize("calibration", ["minmax", "percentile", "entropy"])
def test_static_int8_holds_weights_of_a_byte_whatever_its_calibration(
    calibration: Calibration, capsys: pytest.CaptureFixture[str]
) -> None:
    model = static_int8.quantize_with_calibration(StaticInt8(calibration=calibration), exported(), compression_state())
    assert set(weight_types(model)) == {onnx.TensorProto.INT8}
    assert agreement(model, exported()) >= 0.9
    assert capsys.readouterr().out == ""


def test_calibrations_differ_in_the_ranges_that_they_find() -> None:
    models = {
        static_int8.quantize_with_calibration(StaticInt8(calibration=calibration), exported(), compression_state())
        for calibration in ("minmax", "percentile")
    }
    assert len(models) == 2


def test_static_int8_has_a_scale_for_each_channel() -> None:
    model = onnx.load_from_string(static_int8.quantize_with_calibration(StaticInt8(), exported(), compression_state()))
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    weights = [node for node in model.graph.node if node.input[0] in tensors and len(tensors[node.input[0]].dims) == 4]
    assert weights
    for node in weights:
        assert node.op_type == "DequantizeLinear"
        assert list(tensors[node.input[1]].dims) == [tensors[node.input[0]].dims[0]]


def test_dynamic_int8_treats_linear_layers_and_no_other() -> None:
    model = dynamic_int8.quantize_while_running(DynamicInt8(), exported(LINEAR), compression_state(backbone=LINEAR))
    operators = {node.op_type for node in onnx.load_from_string(model).graph.node}
    assert operators >= {"MatMulInteger", "Conv"}
    assert "ConvInteger" not in operators
    assert agreement(model, exported(LINEAR)) >= 0.9


def test_dynamic_int8_does_not_apply_without_linear_layers() -> None:
    with pytest.raises(NotApplicableError, match="dynamic int8 treats linear layers"):
        dynamic_int8.quantize_while_running(DynamicInt8(), exported(), compression_state())


def test_mixed_int8_leaves_the_most_harmed_layers_in_fp32() -> None:
    state, config = compression_state(), MixedInt8(float_share=0.3)
    model = mixed_int8.quantize_the_robust(config, exported(), state)
    with StaticQuantizer(exported(), state.calibration, config.calibration) as quantizer:
        harms = mixed_int8.layer_harms(quantizer, exported(), state.calibration)
        whole = quantizer.quantized()
    assert len(harms) == len(quantizer.layers) == len(weight_types(exported()))
    assert weight_types(model).count(onnx.TensorProto.FLOAT) == 4
    assert len(set(harms.values())) > 1
    error = {name: distance(made, exported()) for name, made in {"mixed": model, "whole": whole}.items()}
    assert error["mixed"] < error["whole"]


def distance(model: bytes, other: bytes) -> float:
    images, _ = coloured_images(16, seed=3)
    return float(np.square(onnx_predictor(model)(images) - onnx_predictor(other)(images)).mean())


def test_mixed_int8_does_not_apply_where_nothing_would_be_left_in_int8() -> None:
    with pytest.raises(NotApplicableError, match="would leave 11 in fp32: that is all"):
        mixed_int8.quantize_the_robust(MixedInt8(float_share=0.99), exported(), compression_state())


@pytest.mark.parametrize(("name", "data_type"), [("float16", onnx.TensorProto.FLOAT16), ("bfloat16", 16)])
def test_half_precision_halves_the_stored_weights_and_changes_little(name: str, data_type: int) -> None:
    model = half_precision.store_in_half(
        HalfPrecision.model_validate({"format": name}), exported(), compression_state()
    )
    onnx.checker.check_model(onnx.load_from_string(model))
    assert set(weight_types(model)) == {data_type}
    assert len(model) < 0.7 * len(exported())
    assert agreement(model, exported()) == 1.0
    for tensor in onnx.load_from_string(model).graph.initializer:
        assert np.isfinite(numpy_helper.to_array(tensor).astype(np.float32)).all()


def test_quantizing_leaves_the_logging_of_its_process_alone() -> None:
    level = logging.getLogger().level
    dynamic_int8.quantize_while_running(DynamicInt8(), exported(LINEAR), compression_state(backbone=LINEAR))
    assert logging.getLogger().level == level
