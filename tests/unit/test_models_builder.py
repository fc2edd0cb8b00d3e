"""Networks from backbones: each block, repeats, widths, and errors that name the layer."""

from typing import Any

import pytest
import torch
from torch import nn

from search.candidate import Architecture, Layer
from workers.models import ArchitectureError, build_network
from workers.models.registry import ACTIVATIONS, BLOCKS

HEAD: tuple[Layer, ...] = ((1, "Conv", (32, 1, 1)), (1, "GlobalAvgPool", ()), (1, "FixedConv", (5,)))
# Arguments of each block, and the shape that it makes of [2, 8, 16, 16].
EXAMPLES: dict[str, list[tuple[tuple[Any, ...], tuple[int, ...]]]] = {
    "Conv": [
        ((24,), (2, 24, 16, 16)),
        ((24, 3, 2), (2, 24, 8, 8)),
        ((24, 5, 1, 2, 4, "Hardswish"), (2, 24, 16, 16)),
        ((24, 3, 1, 0), (2, 24, 14, 14)),
    ],
    "DWConv": [
        ((24,), (2, 24, 16, 16)),
        ((24, 5, 2), (2, 24, 8, 8)),
        ((24, 3, 1, 0, "Identity"), (2, 24, 14, 14)),
    ],
    "InvertedResidualv2": [
        ((8, 1), (2, 8, 16, 16)),
        ((8, 4, 1, 5), (2, 8, 16, 16)),
        ((24, 1.5, 2), (2, 24, 8, 8)),
    ],
    "GlobalAvgPool": [((), (2, 8, 1, 1))],
    "FixedConv": [((5,), (2, 5, 16, 16)), ((5, 3), (2, 5, 14, 14))],
}


def architecture(*layers: Layer, **fields: Any) -> Architecture:
    return Architecture(backbone=layers, **fields)


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def test_every_registered_block_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(BLOCKS)


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [(name, arguments, shape) for name, examples in EXAMPLES.items() for arguments, shape in examples],
)
def test_each_block_builds_with_the_shape_that_it_announces(
    name: str, arguments: tuple[Any, ...], shape: tuple[int, ...]
) -> None:
    module, channels = BLOCKS[name].build(8, *arguments)
    made = module(torch.rand(2, 8, 16, 16, requires_grad=True))
    assert made.shape == shape
    assert channels == shape[1]
    made.sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_activation_builds(activation: str) -> None:
    network = build_network(architecture((1, "Conv", (8, 1, 1, 0, 1, activation)), *HEAD))
    assert network(torch.rand(2, 3, 8, 8)).shape == (2, 5)


def test_an_inverted_residual_adds_its_input_where_the_shape_stays() -> None:
    for arguments, shortcut in [((8, 2), True), ((8, 2, 2), False), ((16, 2), False)]:
        module, _ = BLOCKS["InvertedResidualv2"].build(8, *arguments)
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
        images = torch.rand(1, 8, 4, 4)
        made = module.eval()(images)
        assert torch.equal(made, images) if shortcut else not made.any()


def test_logits_have_one_column_a_class_and_the_classifier_is_the_last_layer_with_weights() -> None:
    network = build_network(architecture((1, "Conv", (8, 3, 2)), *HEAD))
    assert network(torch.rand(4, 3, 16, 16)).shape == (4, 5)
    assert network.classifier is network.layers[-1]


def test_the_stride_applies_to_the_first_of_the_repeats_only() -> None:
    for name, arguments in [("Conv", (16, 3, 2)), ("DWConv", (16, 3, 2)), ("InvertedResidualv2", (16, 2, 2))]:
        network = build_network(architecture((3, name, arguments), *HEAD))
        strides = [module.stride for module in convolutions(network)]
        assert strides.count((2, 2)) == 1
        assert network.layers[0](torch.rand(2, 3, 16, 16)).shape == (2, 16, 8, 8)


@pytest.mark.parametrize(
    ("width", "multiple", "expected"),
    [(16, 1.0, 16), (20, 1.0, 20), (24, 0.5, 16), (16, 0.5, 8), (8, 0.25, 8), (40, 0.75, 32), (48, 0.25, 16)],
)
def test_scaled_widths_are_multiples_of_8_and_never_below(width: int, multiple: float, expected: int) -> None:
    network = build_network(architecture((1, "Conv", (width, 3, 2)), *HEAD, width_multiple=multiple))
    assert convolutions(network)[0].out_channels == expected


def test_the_classifier_is_never_scaled() -> None:
    network = build_network(architecture(*HEAD, width_multiple=0.25))
    assert [module.out_channels for module in convolutions(network)] == [8, 5]


@pytest.mark.parametrize(
    ("repeat", "multiple", "expected"), [(1, 0.25, 1), (3, 1.0, 3), (4, 0.5, 2), (3, 0.25, 1), (2, 2.0, 4), (1, 3.0, 1)]
)
def test_the_depth_multiple_scales_repeats_above_one(repeat: int, multiple: float, expected: int) -> None:
    network = build_network(architecture((repeat, "Conv", (8,)), *HEAD, depth_multiple=multiple))
    assert len(convolutions(network)) == expected + 2


@pytest.mark.parametrize(
    ("layer", "complaint"),
    [
        ((1, "Melt", ()), "unknown block 'Melt'; known: Conv, "),
        ((1, "Conv", ()), "missing 1 required positional argument: 'out'"),
        ((1, "Conv", ("wide",)), ""),
        ((1, "Conv", (8, 3, 1, 1, 1, "Softly")), "unknown activation 'Softly'; known: ReLU, "),
        ((1, "Conv", (8, 3, 1, 1, 3)), "must be divisible by groups"),
        ((1, "GlobalAvgPool", (3,)), "takes 1 positional argument but 2 were given"),
    ],
)
@pytest.mark.parametrize("width_multiple", [1.0, 0.5])
def test_an_error_names_its_layer(layer: Layer, complaint: str, width_multiple: float) -> None:
    with pytest.raises(ArchitectureError) as caught:
        build_network(architecture((1, "Conv", (8,)), layer, *HEAD, width_multiple=width_multiple))
    assert str(caught.value).startswith(f"layer 2 {list(layer)}: ")
    assert complaint in str(caught.value)


def test_on_the_meta_device_a_network_has_no_weights() -> None:
    network = build_network(architecture(*HEAD), device="meta")
    assert all(parameter.is_meta for parameter in network.parameters())
