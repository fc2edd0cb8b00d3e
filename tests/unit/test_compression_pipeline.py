"""Each default recipe from weights to a scored file, and what stops a recipe."""

import logging
import zlib
from functools import cache

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from search.recipes import DEFAULT_RECIPES, DynamicInt8, Recipe, default_recipe
from tests.unit.training_sets import SIDE_PX, coloured_images
from tests.unit.workpieces import trained, workpiece
from workers.compression.pipeline import Compressed, ParityError, compress
from workers.compression.quantization import quantize_while_running
from workers.compression.registry import NotApplicableError, Workpiece
from workers.export import onnx_predictor
from workers.models import Network
from workers.models.profile import count_macs, count_params

IMAGES, LABELS = coloured_images(48, seed=1)
INT8 = {"dynamic-int8", "static-int8", "structured-static-int8"}


@cache
def made(recipe: str) -> tuple[Compressed, Network]:
    """What a default recipe made, and the network that it left."""
    piece = workpiece()
    return compress(default_recipe(recipe), piece, IMAGES, LABELS), piece.network


@pytest.mark.parametrize("name", [recipe.name for recipe in DEFAULT_RECIPES if recipe.steps])
def test_each_default_recipe_ends_in_a_file_that_is_scored_as_it_predicts(name: str) -> None:
    (compressed, network), (fp32, _) = made(name), made("fp32")
    predicted = onnx_predictor(compressed.model)(IMAGES).argmax(1)
    assert compressed.scores.accuracy == pytest.approx(float((predicted == LABELS).mean()))
    assert compressed.scores.f1 > 0.9
    assert (compressed.macs, compressed.params) == (count_macs(network, SIDE_PX), count_params(network))
    assert (compressed.params < fp32.params) == name.startswith("structured")
    assert (compressed.macs < fp32.macs) == name.startswith("structured")
    assert compressed.parity.agreement >= 0.9
    assert compressed.parity.error < (0.2 if name in INT8 else 1e-3)
    assert (compressed.parity.error > 1e-3) == (name in INT8)
    onnx.checker.check_model(onnx.load_from_string(compressed.model))


def test_no_steps_give_the_network_as_it_is() -> None:
    fp32, _ = made("fp32")
    with torch.inference_mode():
        expected = trained().eval()(torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 255).numpy()
    np.testing.assert_allclose(onnx_predictor(fp32.model)(IMAGES), expected, atol=1e-4)
    assert fp32.parity.agreement == 1.0


def test_zeros_survive_in_the_file_and_make_it_pack_smaller() -> None:
    packed = {name: len(zlib.compress(made(name)[0].model)) for name in ("fp32", "unstructured")}
    assert packed["unstructured"] < 0.8 * packed["fp32"]


def test_static_int8_holds_weights_of_a_byte() -> None:
    compressed, _ = made("static-int8")
    tensors = onnx.load_from_string(compressed.model).graph.initializer
    weights = [tensor for tensor in tensors if len(tensor.dims) == 4]
    assert weights
    assert {tensor.data_type for tensor in weights} == {onnx.TensorProto.INT8}


def test_quantizing_leaves_the_logging_of_its_process_alone() -> None:
    level = logging.getLogger().level
    quantize_while_running(DynamicInt8(), made("fp32")[0].model, workpiece())
    assert logging.getLogger().level == level


def piece_of(layers: nn.Module) -> Workpiece:
    return workpiece(network=Network(nn.Sequential(layers)))


class _Pooled(nn.Module):
    """No layer with weights: the mean of each colour."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=(2, 3))


def test_dynamic_int8_does_not_apply_without_a_layer_to_treat() -> None:
    with pytest.raises(NotApplicableError, match="dynamic int8 treats MatMul, Gemm, Conv"):
        compress(Recipe(name="dynamic", steps=(DynamicInt8(),)), piece_of(_Pooled()), IMAGES, LABELS)


class _TwoFaced(nn.Module):
    """Computes something else when it is exported, as a bug of the exporter would."""

    def forward(self, images: Tensor) -> Tensor:
        pooled = images.mean(dim=(2, 3))
        return pooled.flip(1) if torch.compiler.is_exporting() else pooled


def test_a_file_that_does_not_compute_what_the_network_computes_is_an_error() -> None:
    with pytest.raises(ParityError, match=r"logits differ from the network's by \d+\.\d+% of their range"):
        compress(default_recipe("fp32"), piece_of(_TwoFaced()), IMAGES, LABELS)
