"""Recipes from weights to a scored file, and what stops a recipe."""

import zlib
from functools import cache

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from search.contract.recipes import NAMED_RECIPES, default_recipe
from tests.unit.compressing import compress
from tests.unit.compression_states import compression_state, trained
from tests.unit.training_sets import SIDE_PX, coloured_images
from workers.compression.pipeline import Compressed, ParityError
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.techniques import FILE_TECHNIQUES, NETWORK_TECHNIQUES
from workers.export import to_onnx
from workers.models import Network
from workers.models.profile import count_macs, count_params
from workers.predictors import onnx_predictor, program_predictor

IMAGES, LABELS = coloured_images(48, seed=1)
#: Recipes that change the network's weights, its shape, and its shape and file.
OF_EVERY_KIND = ("unstructured", "structured", "structured-static-int8")


@cache
def made(recipe: str) -> tuple[Compressed, Network]:
    """What a recipe made, and the network that it left."""
    state = compression_state()
    return compress(default_recipe(recipe), state, IMAGES, LABELS), state.network


@pytest.mark.parametrize("name", OF_EVERY_KIND)
def test_a_recipe_ends_in_a_file_that_is_scored_as_it_predicts(name: str) -> None:
    (compressed, network), (fp32, _) = made(name), made("fp32")
    predicted = onnx_predictor(compressed.model)(IMAGES).argmax(1)
    assert compressed.scores.accuracy == pytest.approx(float((predicted == LABELS).mean()))
    assert compressed.scores.f1 > 0.9
    assert (compressed.macs, compressed.params) == (count_macs(network, SIDE_PX), count_params(network))
    assert (compressed.params < fp32.params) == name.startswith("structured")
    assert (compressed.macs < fp32.macs) == name.startswith("structured")
    assert compressed.parity.agreement >= 0.9
    assert compressed.parity.error < (0.2 if name.endswith("int8") else 1e-3)
    assert (compressed.parity.error > 1e-3) == name.endswith("int8")
    onnx.checker.check_model(onnx.load_from_string(compressed.model))
    assert (compressed.program is None) == name.endswith("int8")


def test_every_step_has_one_technique_registered() -> None:
    assert not set(NETWORK_TECHNIQUES) & set(FILE_TECHNIQUES)
    for named in NAMED_RECIPES:
        for step in named.recipe.steps:
            assert step.technique in NETWORK_TECHNIQUES or step.technique in FILE_TECHNIQUES


def test_no_steps_give_the_network_as_it_is() -> None:
    fp32, _ = made("fp32")
    with torch.inference_mode():
        expected = trained().eval()(torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 255).numpy()
    np.testing.assert_allclose(onnx_predictor(fp32.model)(IMAGES), expected, atol=1e-4)
    assert fp32.parity.agreement == 1.0
    assert fp32.program is not None
    np.testing.assert_allclose(program_predictor(fp32.program)(IMAGES), expected, atol=1e-4)


def test_zeros_survive_in_the_file_and_make_it_pack_smaller() -> None:
    packed = {name: len(zlib.compress(made(name)[0].model)) for name in ("fp32", "unstructured")}
    assert packed["unstructured"] < 0.8 * packed["fp32"]


def state_of(layers: nn.Module) -> CompressionState:
    return compression_state(network=Network(nn.Sequential(layers)))


class _Pooled(nn.Module):
    """No layer with weights: the mean of each colour."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=(2, 3))


@cache
def _pooled_file() -> bytes:
    return to_onnx(Network(nn.Sequential(_Pooled())), SIDE_PX)


@pytest.mark.parametrize("name", ["dynamic-int8", "static-int8", "mixed-int8", "float16"])
def test_a_quantization_does_not_apply_without_a_layer_to_treat(name: str) -> None:
    (quantization,) = default_recipe(name).steps
    with pytest.raises(NotApplicableError, match=r"the network has none|that is all"):
        FILE_TECHNIQUES[quantization.technique](quantization, _pooled_file(), state_of(_Pooled()))


@pytest.mark.parametrize("name", ["low-rank", "folded", "structured-static-int8", "unstructured-global"])
def test_a_technique_that_does_not_apply_is_skipped_by_its_name(name: str) -> None:
    recipe = default_recipe(name)
    with pytest.raises(NotApplicableError, match=f"^{recipe.steps[0].technique} is skipped: "):
        compress(recipe, state_of(nn.Conv2d(3, 3, 1)), IMAGES, LABELS)


class _TwoFaced(nn.Module):
    """Computes something else when it is exported, as a bug of the exporter would."""

    def forward(self, images: Tensor) -> Tensor:
        pooled = images.mean(dim=(2, 3))
        return pooled.flip(1) if torch.compiler.is_exporting() else pooled


def test_a_file_that_does_not_compute_what_the_network_computes_is_an_error() -> None:
    with pytest.raises(ParityError, match=r"logits differ from the network's by \d+\.\d+% of their range"):
        compress(default_recipe("fp32"), state_of(_TwoFaced()), IMAGES, LABELS)
