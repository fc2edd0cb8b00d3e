"""Networks from backbones: each block, repeats, widths, and errors that name the layer."""

import pickle
from typing import Any

import pytest
import torch
from torch import nn

from search.contract.candidate import Architecture, Layer
from workers.models import ArchitectureError, build_network
from workers.models.activations import ACTIVATIONS
from workers.models.blocks import BLOCKS
from workers.models.blocks.attention import EfficientChannelAttention
from workers.models.blocks.shufflenet import ShuffleUnit

HEAD: tuple[Layer, ...] = ((1, "Conv", (32, 1, 1)), (1, "GlobalAvgPool", ()), (1, "FixedConv", (5,)))
FEW: tuple[int, ...] = (2, 8, 16, 16)
# The shape of the input of each block, its arguments, and the shape that it makes of it.
EXAMPLES: dict[str, list[tuple[tuple[int, ...], tuple[Any, ...], tuple[int, ...]]]] = {
    "Conv": [
        (FEW, (24,), (2, 24, 16, 16)),
        (FEW, (24, 3, 2), (2, 24, 8, 8)),
        (FEW, (24, 5, 1, 2, 4, "Hardswish"), (2, 24, 16, 16)),
        (FEW, (24, 3, 1, 0), (2, 24, 14, 14)),
        (FEW, (24, 2, 1, 0, 1, None), (2, 24, 15, 15)),
    ],
    "DWConv": [
        (FEW, (24,), (2, 24, 16, 16)),
        (FEW, (24, 5, 2), (2, 24, 8, 8)),
        (FEW, (24, 3, 1, 0, "Identity"), (2, 24, 14, 14)),
    ],
    "InvertedResidualv2": [
        (FEW, (8, 1), (2, 8, 16, 16)),
        (FEW, (8, 4, 1, 5), (2, 8, 16, 16)),
        (FEW, (24, 1.5, 2), (2, 24, 8, 8)),
    ],
    "InvertedResidualv3": [
        (FEW, (3, 1.0, 8, 0, 0), (2, 8, 16, 16)),
        (FEW, (5, 2.3, 8, 1, 1, 1), (2, 8, 16, 16)),
        (FEW, (3, 4, 24, True, False, 2), (2, 24, 8, 8)),
    ],
    "ECAInvertedResidualv2": [
        (FEW, (8, 4), (2, 8, 16, 16)),
        (FEW, (24, 1, 2, 5, 5), (2, 24, 8, 8)),
    ],
    "ECAInvertedResidualv3": [
        (FEW, (3, 4, 8, None, 1), (2, 8, 16, 16)),
        (FEW, (5, 2, 24, 3, 0, 2), (2, 24, 8, 8)),
    ],
    "MBConv": [
        (FEW, (1, 8), (2, 8, 16, 16)),
        (FEW, (6, 24, 2, 5), (2, 24, 8, 8)),
    ],
    "Fire": [(FEW, (8, 16, 24), (2, 40, 16, 16))],
    "Bottleneck": [
        (FEW, (8,), (2, 8, 16, 16)),
        (FEW, (24, False, 4, 1.0, "SiLU"), (2, 24, 16, 16)),
    ],
    "ShuffleNetV2": [
        (FEW, (8,), (2, 8, 16, 16)),
        (FEW, (24,), (2, 24, 16, 16)),
        (FEW, (24, 2), (2, 24, 8, 8)),
        ((2, 7, 16, 16), (24, 2), (2, 24, 8, 8)),
    ],
    "Ghost": [
        (FEW, (24,), (2, 24, 16, 16)),
        (FEW, (8, 3, 2, "Hardswish"), (2, 8, 8, 8)),
    ],
    "MaxPool": [(FEW, (2, 2), (2, 8, 8, 8)), (FEW, (3, 2, 1), (2, 8, 8, 8))],
    "AvgPool": [(FEW, (2, 2), (2, 8, 8, 8)), (FEW, (3, 1, 1), (2, 8, 16, 16))],
    "Pass": [(FEW, (), FEW)],
    "GlobalAvgPool": [(FEW, (), (2, 8, 1, 1))],
    "Flatten": [((2, 8, 1, 1), (), (2, 8))],
    "Linear": [((2, 8), (5,), (2, 5))],
    "FixedConv": [(FEW, (5,), (2, 5, 16, 16)), (FEW, (5, 3, 2, 0, 1, "ReLU"), (2, 5, 7, 7))],
    "TorchVision": [((2, 3, 32, 32), ("mobilenet_v3_small", 0.35, None, False, 5, 32), (2, 5))],
    "TimmStem": [((2, 3, 32, 32), ("tinynet_e", 0.5, None), (2, 16, 16, 16))],
    "TimmStage": [
        ((2, 16, 16, 16), ("tinynet_e", 1, 1, 0.5), (2, 8, 16, 16)),
        ((2, 24, 8, 8), ("tinynet_e", 4, 2, 0.5), (2, 16, 4, 4)),
    ],
    "TimmHead": [((2, 160, 4, 4), ("tinynet_e", 0.5), (2, 640, 4, 4))],
}


def architecture(*layers: Layer, **fields: Any) -> Architecture:
    return Architecture(backbone=layers, **fields)


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def test_every_registered_block_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(BLOCKS)


@pytest.mark.parametrize(
    ("name", "given", "arguments", "shape"),
    [(name, *example) for name, examples in EXAMPLES.items() for example in examples],
)
def test_each_block_builds_with_the_shape_that_it_announces(
    name: str, given: tuple[int, ...], arguments: tuple[Any, ...], shape: tuple[int, ...]
) -> None:
    module, channels = BLOCKS[name].build(given[1], *BLOCKS[name].arguments(arguments))
    made = module(torch.rand(*given, requires_grad=True))
    assert made.shape == shape
    assert channels == shape[1]
    made.sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_activation_builds(activation: str) -> None:
    network = build_network(architecture((1, "Conv", (8, 1, 1, 0, 1, activation)), *HEAD))
    assert network(torch.rand(2, 3, 8, 8)).shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "arguments", "shortcut"),
    [
        ("InvertedResidualv2", (8, 2), True),
        ("InvertedResidualv2", (8, 2, 2), False),
        ("InvertedResidualv2", (16, 2), False),
        ("InvertedResidualv3", (3, 2, 8, 1, 1), True),
        ("ECAInvertedResidualv2", (8, 2), True),
        ("ECAInvertedResidualv3", (3, 2, 8, 3, 1, 2), False),
        ("MBConv", (2, 8), True),
        ("Bottleneck", (8,), True),
        ("Bottleneck", (8, False), False),
    ],
)
def test_a_residual_block_adds_its_input_where_the_shape_stays(
    name: str, arguments: tuple[Any, ...], shortcut: bool
) -> None:
    module, _ = BLOCKS[name].build(8, *BLOCKS[name].arguments(arguments))
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    images = torch.rand(1, 8, 4, 4)
    made = module.eval()(images)
    assert torch.equal(made, images) if shortcut else not made.any()


def test_a_shuffle_takes_the_channels_of_both_halves_in_turns() -> None:
    unit, _ = BLOCKS["ShuffleNetV2"].build(8, 8)
    assert isinstance(unit, ShuffleUnit)
    unit.filtered = nn.Sequential(nn.Identity())
    images = torch.arange(8.0).view(1, 8, 1, 1)
    assert unit(images).flatten().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


def test_channel_attention_follows_the_papers_kernels() -> None:
    kernels = {width: EfficientChannelAttention(width).conv.kernel_size[0] for width in (8, 64, 128, 256, 512)}
    assert kernels == {8: 3, 64: 3, 128: 5, 256: 5, 512: 5}


@pytest.mark.parametrize(("name", "arguments"), [("ShuffleNetV2", (7,)), ("Ghost", (7, 3))])
def test_an_odd_width_is_an_error_that_says_what_to_do(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(
        ArchitectureError, match=f"{name} makes its channels in two halves: choose an even width, such as 8"
    ):
        build_network(architecture((1, name, arguments), *HEAD))
    build_network(architecture((1, name, arguments), *HEAD, width_multiple=0.75))


def test_logits_have_one_column_a_class_and_the_classifier_is_the_last_layer_with_weights() -> None:
    network = build_network(architecture((1, "Conv", (8, 3, 2)), *HEAD))
    assert network(torch.rand(4, 3, 16, 16)).shape == (4, 5)
    assert network.classifier is network.layers[-1]


def test_the_stride_applies_to_the_first_of_the_repeats_only() -> None:
    for name, arguments in [
        ("Conv", (16, 3, 2)),
        ("DWConv", (16, 3, 2)),
        ("InvertedResidualv2", (16, 2, 2)),
        ("InvertedResidualv3", (3, 2, 16, 0, 0, 2)),
        ("MBConv", (2, 16, 2)),
        ("Ghost", (16, 3, 2)),
    ]:
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


def test_every_width_of_a_block_is_scaled() -> None:
    network = build_network(architecture((1, "Fire", (16, 32, 64)), *HEAD, width_multiple=0.5))
    assert [module.out_channels for module in convolutions(network)[:3]] == [8, 16, 32]


@pytest.mark.parametrize("classifier", [((1, "FixedConv", (5,)),), ((1, "Flatten", ()), (1, "Linear", (5,)))])
def test_the_classifier_is_never_scaled(classifier: tuple[Layer, ...]) -> None:
    network = build_network(architecture(*HEAD[:-1], *classifier, width_multiple=0.25))
    assert convolutions(network)[0].out_channels == 8
    assert network(torch.rand(2, 3, 8, 8)).shape == (2, 5)


@pytest.mark.parametrize(
    ("repeat", "multiple", "expected"), [(1, 0.25, 1), (3, 1.0, 3), (4, 0.5, 2), (3, 0.25, 1), (2, 2.0, 4), (1, 3.0, 1)]
)
def test_the_depth_multiple_scales_repeats_above_one(repeat: int, multiple: float, expected: int) -> None:
    network = build_network(architecture((repeat, "Conv", (8,)), *HEAD, depth_multiple=multiple))
    assert len(convolutions(network)) == expected + 2


@pytest.mark.parametrize(
    ("layer", "complaint"),
    [
        ((1, "Melt", ()), "unknown block 'Melt'; known: AvgPool, "),
        ((1, "Conv", ()), "takes 1 to 6 arguments [out, kernel, stride, padding, groups, act], got 0"),
        ((1, "Conv", ("wide",)), "out should be a valid integer, got 'wide'"),
        ((1, "Conv", (True,)), "out should be a valid integer, got True"),
        ((1, "Conv", (0,)), "out should be greater than or equal to 1, got 0"),
        ((1, "Conv", (8, 3, [2])), "stride should be a valid integer, got [2]"),
        ((1, "Conv", (8, 3, 1, 1, 1, "Softly")), "act: unknown activation 'Softly'; known: ReLU, "),
        ((1, "Conv", (8, 3, 1, 1, 3)), "must be divisible by groups"),
        ((1, "InvertedResidualv3", (3, 2, 8, 2, 0)), "se should be a valid boolean"),
        ((1, "ECAInvertedResidualv2", (8, 2, 1, 3, 4)), "the attention's kernel is odd"),
        ((1, "GlobalAvgPool", (3,)), "takes 0 arguments [], got 1"),
    ],
)
@pytest.mark.parametrize("width_multiple", [1.0, 0.5])
def test_an_error_names_its_layer(layer: Layer, complaint: str, width_multiple: float) -> None:
    with pytest.raises(ArchitectureError) as caught:
        build_network(architecture((1, "Conv", (8,)), layer, *HEAD, width_multiple=width_multiple))
    repeat, name, arguments = layer
    assert str(caught.value).startswith(f"layer 2 {[repeat, name, list(arguments)]}: ")
    assert caught.value.layer == 2
    assert complaint in str(caught.value)


def test_on_the_meta_device_a_network_has_no_weights() -> None:
    network = build_network(architecture(*HEAD), device="meta")
    assert all(parameter.is_meta for parameter in network.parameters())


def test_an_architecture_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ArchitectureError("layer 3 is too wide", 3)))
    assert (str(error), error.layer) == ("layer 3 is too wide", 3)
