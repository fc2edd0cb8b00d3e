"""Exported files compute what their networks compute, and weights survive the way to bytes and back."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch

from search.contract.candidate import Architecture, Layer
from tests.unit.training_sets import BACKBONE, CLASSES, EVERY_BLOCK, SIDE_PX, coloured, coloured_images, small_network
from workers.export import load_weights, quick_onnx, save_weights, to_onnx, to_program
from workers.models import Network, build_network
from workers.predictors import INPUT, OUTPUT, Predict, model_input, onnx_predictor, program_predictor
from workers.training.device_dataset import pixels

HARDSWISH: tuple[Layer, ...] = (
    (1, "Conv", (8, 3, 2, 1, 1, "Hardswish")),
    (1, "InvertedResidualv2", (16, 4, 2, 5)),
    (1, "DWConv", (16, 5, 1, 2, "Hardswish")),
    (1, "GlobalAvgPool", ()),
    (1, "FixedConv", (CLASSES,)),
)


def used_network(backbone: tuple[Layer, ...] = BACKBONE) -> Network:
    """A network whose batch statistics are not those of a fresh one."""
    network = small_network(backbone=backbone).train()
    with torch.no_grad():
        for _ in range(3):
            network(pixels(coloured(32).images))
    return network


@pytest.mark.parametrize(
    ("export", "predictor"),
    [(to_onnx, onnx_predictor), (quick_onnx, onnx_predictor), (to_program, program_predictor)],
    ids=["onnx", "quick onnx", "pt2"],
)
@pytest.mark.parametrize("backbone", [BACKBONE, HARDSWISH, EVERY_BLOCK], ids=["relu", "hardswish", "every block"])
def test_an_exported_file_computes_what_its_network_computes(
    backbone: tuple[Layer, ...], export: Callable[[Network, int], bytes], predictor: Callable[[bytes], Predict]
) -> None:
    network = used_network(backbone).to(memory_format=torch.channels_last)  # as training leaves it
    images, _ = coloured_images(12, seed=5)
    predict = predictor(export(network, SIDE_PX))
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(model_input(images))).numpy()
    found = predict(images)
    assert found.shape == (12, CLASSES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_exported_file_takes_one_image_in_0_to_1_under_fixed_names() -> None:
    graph = onnx.load_from_string(to_onnx(used_network(), SIDE_PX)).graph
    shapes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert shapes == {INPUT: [1, 3, SIDE_PX, SIDE_PX], OUTPUT: [1, CLASSES]}


def test_model_input_is_what_training_saw() -> None:
    images, _ = coloured_images(12)
    floats = model_input(images)
    assert floats.dtype == np.float32
    assert floats.flags.c_contiguous
    assert np.array_equal(floats, pixels(coloured(12).images).numpy())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_weights_are_the_same_after_bytes_in_either_layout(layout: torch.memory_format) -> None:
    network, other = used_network().to(memory_format=layout), small_network(seed=1)
    load_weights(other, save_weights(network))
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in other.state_dict().items())


def test_weights_of_another_network_are_rejected() -> None:
    other = build_network(Architecture(backbone=HARDSWISH))
    with pytest.raises(RuntimeError, match="size mismatch"):
        load_weights(other, save_weights(used_network()))
