"""Architecture spaces as data: what is rejected, what is drawn, and how many networks there are, by drawing all."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from search.contract.candidate import Architecture
from search.samplers.optuna_trials import Replay
from search.spaces.architecture_space import ArchitectureSpace
from search.spaces.chooser import Chooser
from search.spaces.draw import draw_architecture
from search.spaces.size import space_size
from search.spaces.values import Values
from search.study.space_spec import SpaceSpec
from tests.unit.choosers import Chance, every_way

#: Each parameter that a generated block may refer to, with values, by where it is written.
OF_SPACE: dict[str, Any] = {"common": [8, 16], "other": {"low": 1, "high": 3}}
OF_STAGE: dict[str, Any] = {
    "repeat": {"low": 1, "high": 2},
    "kernel": [1, 3],
    "again": [1],
    "real": {"low": 0.5, "high": 2.0},
}
OF_BLOCK: dict[str, Any] = {"own": {"low": 0.5, "high": 1.0, "step": 0.25}, "times": [1, 2]}


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Any]:
    repeat = draw(st.sampled_from([1, 2, "$repeat", "$again", "$times"]))
    names = draw(st.lists(st.sampled_from(["stride", "classes", "kernel", "real", "own", *OF_SPACE]), max_size=3))
    line = [repeat, "Conv", [*(f"${name}" for name in names), 3]]
    used = {*names, str(repeat).removeprefix("$")}
    return {"layers": [line], "parameters": {name: OF_BLOCK[name] for name in used & set(OF_BLOCK)}}


def used_in(stages: list[dict[str, Any]]) -> set[str]:
    lines = [line for stage in stages for block in stage["blocks"].values() for line in block["layers"]]
    return {str(part).removeprefix("$") for repeat, _, arguments in lines for part in (repeat, *arguments)}


@st.composite
def spaces(draw: st.DrawFn) -> ArchitectureSpace:
    stages = []
    for number in range(draw(st.integers(1, 3))):
        labels = draw(st.sampled_from([["A"], ["A", "B"]]))
        stage: dict[str, Any] = {"name": f"s{number}", "blocks": {label: draw(blocks()) for label in labels}}
        used = used_in([stage])
        if "stride" in used:
            stage["stride"] = draw(st.sampled_from([[1], [2], [1, 2]]))
            stage["least_downsamplings"] = draw(st.integers(0, 2))
        stage["parameters"] = {name: OF_STAGE[name] for name in used & set(OF_STAGE)}
        stages.append(stage)
    head = [stages.pop()] if len(stages) > 1 and draw(st.booleans()) else []
    return ArchitectureSpace.model_validate(
        {
            "stages": stages,
            "head": head,
            "stage_count": draw(st.sampled_from([None, {"low": 1, "high": len(stages)}])),
            "parameters": {name: OF_SPACE[name] for name in used_in([*stages, *head]) & set(OF_SPACE)},
            "depth_multiple": draw(st.sampled_from([1.0, [0.5, 1.0]])),
            "width_multiple": draw(st.sampled_from([0.5, [0.25, 0.5, 1.0]])),
            "max_downsamplings": draw(st.sampled_from([None, 1, 2])),
            "least_side_px": draw(st.sampled_from([1, 4])),
        }
    )


def drawn(space: ArchitectureSpace, chooser: Chooser, side_px: int = 16) -> Architecture:
    return draw_architecture(space, chooser, side_px=side_px, classes=5)


@settings(deadline=None, max_examples=100)
@given(spaces(), st.sampled_from([8, 16]))
def test_the_size_of_a_space_is_the_number_of_ways_to_draw_from_it(space: ArchitectureSpace, side_px: int) -> None:
    ways = 0
    seen = set()
    for values, _ in every_way(lambda chooser: drawn(space, chooser, side_px)):
        ways += 1
        if ways > 3000:
            return
        seen.add(tuple(sorted(values.items())))
    assert len(seen) == ways
    assert space_size(space, side_px=side_px) == ways


@settings(deadline=None, max_examples=50)
@given(spaces(), st.integers(0, 1000))
def test_a_space_is_the_same_after_json_and_so_is_what_is_drawn_again(space: ArchitectureSpace, seed: int) -> None:
    spec = SpaceSpec(architecture=space)
    assert SpaceSpec.model_validate_json(spec.model_dump_json()) == spec
    assert SpaceSpec.model_validate(spec.model_dump()) == spec
    chooser = Chance(seed)
    architecture = drawn(space, chooser)
    assert drawn(space, Replay(values=json.loads(json.dumps(chooser.values)))) == architecture


@settings(deadline=None, max_examples=50)
@given(spaces(), st.sampled_from([8, 9, 33, 224]), st.integers(0, 1000))
def test_the_limits_of_strides_hold(space: ArchitectureSpace, side_px: int, seed: int) -> None:
    chooser = Chance(seed)
    drawn(space, chooser, side_px)
    downsamplings = sum(value == 2 for name, value in chooser.values.items() if name.endswith(".stride"))
    assert space.max_downsamplings is None or downsamplings <= space.max_downsamplings
    assert side_px >> downsamplings >= min(space.least_side_px, side_px)


def halving(**stage: Any) -> dict[str, Any]:
    return {"blocks": {"Conv": [[1, "Conv", [8, 3, "$stride"]]]}, "stride": [1, 2], **stage}


def test_a_stride_is_forced_where_there_were_too_few_before_and_only_asked_for_where_it_is_open() -> None:
    stages = [halving(name="a"), halving(name="b", least_downsamplings=1), halving(name="c", least_downsamplings=2)]
    space = ArchitectureSpace.model_validate({"stages": stages, "max_downsamplings": 2})
    found = {}
    for values, architecture in every_way(lambda chooser: drawn(space, chooser)):
        found[tuple(arguments[2] for _, _, arguments in architecture.backbone)] = set(values)
    assert found == {
        (1, 2, 2): {"a.stride"},
        (2, 1, 2): {"a.stride", "b.stride"},
        (2, 2, 1): {"a.stride", "b.stride"},
    }


def test_the_depth_multiple_is_drawn_only_where_a_line_is_repeated() -> None:
    stage = {"name": "a", "blocks": {"A": [["$repeat", "Conv", [8]]]}, "parameters": {"repeat": [1, 3]}}
    space = ArchitectureSpace.model_validate({"stages": [stage], "depth_multiple": [0.5, 1.0]})
    ways = [values for values, _ in every_way(lambda chooser: drawn(space, chooser))]
    assert ways == [
        {"a.repeat": 1},
        {"a.repeat": 3, "depth_multiple": 0.5},
        {"a.repeat": 3, "depth_multiple": 1.0},
    ]


def test_a_parameter_of_the_space_is_drawn_once_and_means_the_same_in_every_stage() -> None:
    stages = [{"name": name, "blocks": {"A": [[1, "Conv", ["$width"]]]}} for name in "ab"]
    space = ArchitectureSpace.model_validate({"stages": stages, "parameters": {"width": [8, 16]}})
    found = [architecture.backbone for _, architecture in every_way(lambda chooser: drawn(space, chooser))]
    assert found == [((1, "Conv", (8,)), (1, "Conv", (8,))), ((1, "Conv", (16,)), (1, "Conv", (16,)))]


STAGE: dict[str, Any] = {"name": "a", "blocks": {"A": [[1, "Conv", [8]]]}}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"stages": [STAGE, STAGE]}, "two stages are called a"),
        ({"stages": [{**STAGE, "blocks": {"A": [[1, "Conv", ["$w"]]]}}]}, r"stage a, block A: \$w is no parameter"),
        ({"stages": [{**STAGE, "parameters": {"w": 8}}]}, "parameter a.w is used by no block"),
        ({"parameters": {"w": 8}}, "parameter w is used by no block"),
        ({"parameters": {"stages": 8}}, "no parameter can be called stages"),
        ({"stages": [{**STAGE, "stride": [1, 2]}]}, r"stage a: no block uses \$stride"),
        (
            {"stages": [{**STAGE, "blocks": {"A": [[0, "Conv", [8]]]}}]},
            "a repeat is a whole number from 1 to 100, got 0",
        ),
        (
            {"stages": [{**STAGE, "blocks": {"A": [["x", "Conv", [8]]]}}]},
            "a repeat is a whole number from 1 to 100, got x",
        ),
        (
            {"stages": [{**STAGE, "blocks": {"A": [["$r", "Conv", [8]]]}}], "parameters": {"r": 2}},
            r"a repeat is a parameter of its stage or block, \$r is one of the space",
        ),
        ({"stage_count": {"low": 1, "high": 2}}, "stage_count must be whole numbers from 1 to 1"),
        ({"depth_multiple": [0.0, 1.0]}, "depth_multiple must be numbers above 0"),
        ({"width_multiple": "wide"}, "width_multiple must be numbers above 0"),
    ],
)
def test_a_space_that_makes_no_sense_is_rejected_with_the_reason(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        ArchitectureSpace.model_validate({"stages": [STAGE], **fields})


def test_a_parameter_must_not_be_called_as_one_of_the_rest_of_the_space() -> None:
    with pytest.raises(ValidationError, match="rename what the architecture calls batch_size"):
        SpaceSpec.model_validate({"architecture": {"stages": [{**STAGE, "name": "batch_size"}]}})


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (8, 1),
        (None, 1),
        ([8, 16], 2),
        ({"low": 1, "high": 5}, 5),
        ({"low": 16, "high": 64, "step": 16}, 4),
        ({"low": 1.0, "high": 6.0, "step": 0.1}, 51),
        ({"low": 0.5, "high": 1.0}, None),
        ({"low": 0.5, "high": 0.5}, 1),
    ],
)
def test_values_are_counted_and_written_short(written: Any, count: int | None) -> None:
    values = Values.model_validate(written)
    assert values.count == count
    assert Values.model_validate(values.model_dump(mode="json")) == values
    assert values.model_dump(mode="json") == (written if isinstance(written, list | dict) else [written])


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ([], "an empty list"),
        ([8, 8], "a choice is listed twice: 8"),
        ({"low": 2}, "give choices, or low and high"),
        ({"choices": [1], "low": 2}, "not both"),
        ({"low": 2, "high": 1}, "low 2 is above high 1"),
        ({"low": 1, "high": 4, "step": 2}, "steps of 2 do not lead from 1 to 4"),
        ({"low": 0, "high": 4, "step": -1}, "step -1 is not above 0"),
        ({"low": 0, "high": 4, "log": True}, "a log range starts above 0"),
        ({"low": 0.0, "high": 1.0, "step": 1e-9}, "take a larger step"),
    ],
)
def test_values_that_make_no_sense_are_rejected(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Values.model_validate(written)
