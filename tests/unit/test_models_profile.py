"""What a network costs, against a count layer by layer and against PyTorch's counter on real weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from optuna.trial import FixedTrial
from torch.utils.flop_counter import FlopCounterMode

from search.contract.candidate import Architecture, Candidate, Layer
from search.samplers.optuna_trials import chooser_of
from search.spaces.draw import draw_architecture
from search.spaces.nas_bench_macro import DIGITS
from search.spaces.presets import PRESETS
from search.study.draw import draw
from search.study.space_spec import SpaceSpec
from tests.unit.choosers import Chance
from tests.unit.test_models_builder import EXAMPLES
from workers.models import ArchitectureError, Network, build_network, profile
from workers.models.profile import count_macs, count_params, layer_costs, total_cost

SPACE = SpaceSpec.model_validate({"image_size": [16, 24, 33]})
HEAD: tuple[Layer, ...] = ((1, "Conv", (32, 1, 1)), (1, "GlobalAvgPool", ()), (1, "FixedConv", (5,)))


def candidate(seed: int) -> Candidate:
    return draw(SPACE, Chance(seed), classes=5)


def fixed(*layers: Layer, image_size: int = 16) -> Candidate:
    architecture = Architecture(backbone=(*layers, *HEAD))
    return Candidate.model_validate(
        {
            "architecture": architecture,
            "image_size": image_size,
            "batch_size": 8,
            "learning_rate": 0.1,
            "optimizer": "sgd",
        }
    )


def counted(network: Network, side_px: int) -> int:
    """Multiply-accumulates of the whole network as PyTorch's counter has them."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.empty(1, 3, side_px, side_px, device="meta"))
    return int(counter.get_total_flops()) // 2


def assert_exact(architecture: Architecture, side_px: int) -> None:
    network = build_network(architecture, device="meta")
    cost = total_cost(layer_costs(architecture, side_px))
    assert cost.macs == counted(network, side_px)
    assert cost.params == sum(parameter.numel() for parameter in network.parameters())


#: Every block that may stand before a pooled head, on 8 channels.
ANYWHERE = {
    name: [arguments for given, arguments, made in examples if given[1:] == (8, 16, 16) and len(made) == 4]
    for name, examples in EXAMPLES.items()
}


@pytest.mark.parametrize(
    ("name", "arguments"), [(name, arguments) for name, found in ANYWHERE.items() for arguments in found]
)
def test_a_profile_of_each_block_is_exact(name: str, arguments: tuple[Any, ...]) -> None:
    backbone = ((1, "Conv", (8, 3, 1)), (2, name, arguments), *HEAD)
    assert_exact(Architecture(backbone=backbone, width_multiple=1.0), 16)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_profile_of_each_preset_is_exact(preset: str) -> None:
    for seed in range(3):
        side_px = (32, 17, 96)[seed]
        assert_exact(draw_architecture(PRESETS[preset], Chance(seed), side_px=side_px, classes=5), side_px)


def shape_or_reason(architecture: Architecture, side_px: int) -> tuple[int, ...] | str:
    try:
        return layer_costs(architecture, side_px)[-1].shape
    except ArchitectureError as error:
        return str(error)


@pytest.mark.parametrize("preset", PRESETS)
def test_random_networks_of_each_preset_work_or_say_why_not(preset: str) -> None:
    for seed in range(20):
        side_px = (8, 33)[seed % 2]
        architecture = draw_architecture(PRESETS[preset], Chance(seed), side_px=side_px, classes=7)
        found = shape_or_reason(architecture, side_px)
        assert found in ((7,), (7, 1, 1)) or str(found).startswith("layer ")


def test_nas_bench_macro_has_the_params_and_macs_of_its_table(shared_data: Path) -> None:
    table = json.loads((shared_data / "nas-bench-macro" / "cifar10.json").read_text())
    blocks = {digit: block for block, digit in DIGITS.items()}
    for code in list(table)[::200]:
        values = {f"layer{number}.block": blocks[int(digit)] for number, digit in enumerate(code, start=1)}
        architecture = draw_architecture(
            PRESETS["nas-bench-macro"], chooser_of(FixedTrial(values)), side_px=32, classes=10
        )
        cost = total_cost(layer_costs(architecture, 32))
        assert (cost.params, cost.macs) == (table[code]["params"], table[code]["flops"])


def test_a_profile_by_hand() -> None:
    cost = profile(fixed((1, "Conv", (8, 3, 2))))
    assert cost.macs == 8 * 8 * 8 * 27 + 8 * 8 * 32 * 8 + 32 * 5
    assert cost.params == (8 * 27 + 16) + (8 * 32 + 64) + (32 * 5 + 5)
    assert cost.memory_bytes == 4 * (cost.params + (8 * 8 * 8 + 8 * 8 * 32))


def test_the_memory_of_a_layer_is_the_largest_input_and_output_within_its_block() -> None:
    architecture = Architecture(backbone=((1, "InvertedResidualv2", (8, 4, 2)), *HEAD))
    first, *_, last = layer_costs(architecture, 16)
    assert first.activation_bytes == 4 * (12 * 16 * 16 + 12 * 8 * 8)
    assert last.activation_bytes == 4 * (32 + 5)
    assert first.activations == 12 * 16 * 16 + 12 * 8 * 8 + 8 * 8 * 8
    assert last.activations == 5


def test_the_costs_of_the_lines_add_up_to_the_networks() -> None:
    drawn = candidate(3)
    costs = layer_costs(drawn.architecture, drawn.image_size)
    cost = profile(drawn)
    assert len(costs) == len(drawn.architecture.backbone)
    assert cost.macs == sum(line.macs for line in costs)
    assert cost.params == sum(line.params for line in costs)
    assert cost.memory_bytes == 4 * cost.params + max(line.activation_bytes for line in costs)


def test_counting_leaves_the_mode_and_the_statistics_of_the_network_alone() -> None:
    network = build_network(fixed((1, "Conv", (8, 3, 2))).architecture)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    count_macs(network, 16)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert count_params(network) == profile(fixed((1, "Conv", (8, 3, 2)))).params


@pytest.mark.parametrize(
    ("layers", "layer", "complaint"),
    [
        (((1, "Conv", (8, 9, 1, 0)),), 1, "Kernel size can't be greater than actual input size"),
        (((1, "Conv", (8, 3, 2)), (3, "MaxPool", (3, 2, 0))), 2, "Output size is too small"),
        (((1, "MaxPool", (3, 2, 2)),), 1, "pad should be at most half of effective kernel size"),
        (((1, "Flatten", ()),), 1, "Flatten takes one pixel, got [8, 8]: put GlobalAvgPool before it"),
        (((1, "GlobalAvgPool", ()), (1, "Linear", (5,))), 2, "got [3, 1, 1]: put Flatten before it"),
        (((1, "Conv", (8, 3)), (1, "TorchVision", ("resnet18", 1, None, 0, 5, 32))), 2, "make it the first layer"),
    ],
)
def test_shapes_that_do_not_fit_are_an_error_that_names_the_layer(
    layers: tuple[Layer, ...], layer: int, complaint: str
) -> None:
    with pytest.raises(ArchitectureError) as caught:
        profile(fixed(*layers, image_size=8))
    assert complaint in str(caught.value)
    assert caught.value.layer == layer
    assert str(caught.value).startswith(f"layer {layer} [")


def test_a_network_must_end_with_a_number_a_class() -> None:
    with pytest.raises(
        ArchitectureError, match="the network ends with 8 x 4 x 4 and not with a number a class"
    ) as caught:
        layer_costs(Architecture(backbone=((1, "Conv", (8, 3, 2)),)), 8)
    assert caught.value.layer == 1
