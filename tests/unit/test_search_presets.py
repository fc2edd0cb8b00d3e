"""The presets: what they can draw, how many networks they hold, and that each network works or says why not."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.contract.candidate import Architecture
from search.samplers.optuna_trials import Replay
from search.spaces.architecture_space import ArchitectureSpace
from search.spaces.draw import draw_architecture
from search.spaces.nas_bench_macro import DIGITS
from search.spaces.presets import PRESETS
from search.spaces.size import space_size
from search.study.space_spec import SpaceSpec
from tests.unit.choosers import Chance, every_way

SEEDS = st.integers(0, 2**32)
SIDES = st.sampled_from([8, 32, 33, 96, 224])
FAMILY = ["baseline-blocks", "seed-blocks"]


def drawn(preset: str, seed: int, side_px: int = 96, classes: int = 6) -> tuple[dict[str, Any], Architecture]:
    chooser = Chance(seed)
    return chooser.values, draw_architecture(PRESETS[preset], chooser, side_px=side_px, classes=classes)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_a_space_as_a_spec_would_write_it_out(preset: str) -> None:
    written = json.loads(PRESETS[preset].model_dump_json(exclude_defaults=True))
    assert SpaceSpec.model_validate({"architecture": written}).architecture == PRESETS[preset]
    assert SpaceSpec(architecture=preset).model_dump()["architecture"] == preset


@pytest.mark.parametrize("preset", PRESETS)
def test_a_parameter_has_the_same_values_whenever_it_is_drawn(preset: str) -> None:
    known: dict[str, Any] = {}
    for seed in range(60):
        values, architecture = drawn(preset, seed)
        replay = Replay(values=values)
        assert draw_architecture(PRESETS[preset], replay, side_px=96, classes=6) == architecture
        assert all(known.setdefault(name, found) == found for name, found in replay.distributions.items())


@pytest.mark.parametrize(
    ("preset", "size"),
    [
        ("blocks-small", 3 * sum(120**stages for stages in (3, 4, 5, 6))),
        ("mobile", 3 * (3 * 4 * 3 * 2 * 4) ** 5),
        ("nas-bench-macro", 3**8),
        ("pretrained", 3 + 5 * 3 * 4),
        ("tf_efficientnet_lite0", 3 + 5 * 3 * 4),
        ("resnet18", 2 * 3 * 4),
        ("torchvision", 3 * 4 + 8),
        ("torchvision-pretrained", 11 * 2),
    ],
)
def test_the_size_of_a_preset_is_what_its_choices_multiply_to(preset: str, size: int) -> None:
    assert space_size(PRESETS[preset], side_px=96) == size


@pytest.mark.parametrize("preset", FAMILY)
@settings(deadline=None, max_examples=60)
@given(SEEDS, SIDES)
def test_the_seeds_strides_are_forced_as_they_were_meant_to_be(preset: str, seed: int, side_px: int) -> None:
    values, _ = drawn(preset, seed, side_px)
    downsamplings = 0
    for number in range(1, 9 if preset == "seed-blocks" else 8):
        least = {2: 1, 4: 2, 6: 3}.get(number, 0)
        allowed = downsamplings < 5 and side_px >> (downsamplings + 1) >= 1
        passed = values[f"m{number}.block"] == "Pass"
        asked = allowed and not passed and downsamplings >= least
        assert (f"m{number}.stride" in values) == asked
        if asked:
            downsamplings += values[f"m{number}.stride"] - 1
        elif allowed and not passed:
            downsamplings += 1
    assert downsamplings <= 5


@pytest.mark.parametrize("preset", FAMILY)
@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_a_network_of_the_seeds_space_ends_with_as_many_outputs_as_classes(preset: str, seed: int) -> None:
    values, architecture = drawn(preset, seed, classes=7)
    linear = values["head.block"] == "Linear"
    assert architecture.backbone[-1] == (1, "Linear" if linear else "FixedConv", (7,))
    assert architecture.backbone[-4 if linear else -3] == (1, "Conv", (values["head.last_dim"], 1, 1))
    assert architecture.width_multiple in (0.25, 0.5, 0.75, 1.0)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_expansions_are_tenths(seed: int) -> None:
    _, architecture = drawn("seed-blocks", seed)
    for _, module, arguments in architecture.backbone:
        if module == "InvertedResidualv3":
            assert arguments[1] == round(arguments[1], 1)


@cache
def ways(preset: str) -> list[tuple[dict[str, Any], Architecture]]:
    space = PRESETS[preset]
    return list(every_way(lambda chooser: draw_architecture(space, chooser, side_px=32, classes=10)))


def test_every_network_of_nas_bench_macro_is_drawn_once() -> None:
    found = ways("nas-bench-macro")
    codes = {"".join(str(DIGITS[values[f"layer{number}.block"]]) for number in range(1, 9)) for values, _ in found}
    assert len(codes) == len(found) == len({architecture.backbone for _, architecture in found}) == 3**8


def test_a_fixed_space_draws_nothing() -> None:
    space = ArchitectureSpace.model_validate({"stages": [{"name": "a", "blocks": {"A": [[1, "Conv", ["$classes"]]]}}]})
    architecture = draw_architecture(space, Replay(values={}), side_px=32, classes=4)
    assert architecture.backbone == ((1, "Conv", (4,)),)
    assert space_size(space, side_px=32) == 1


def test_the_file_of_nas_bench_macro_has_those_networks(shared_data: Path) -> None:
    table = json.loads((shared_data / "nas-bench-macro" / "cifar10.json").read_text())
    assert set(table) == {
        "".join(str(DIGITS[values[f"layer{number}.block"]]) for number in range(1, 9))
        for values, _ in ways("nas-bench-macro")
    }
