"""Drawing a candidate: whatever the choices, it survives JSON, replays, and has as many parameters as choices."""

import json
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import FixedTrial
from pydantic import ValidationError

from search.contract.augmentation import (
    BATCH_OPERATION_NAMES,
    FLIP_NAMES,
    FLIP_ONLY,
    OPERATION_NAMES,
    WITHOUT_MAGNITUDE,
    Policy,
)
from search.contract.candidate import Architecture, Candidate, Layer
from search.samplers.optuna_trials import Replay, chooser_of
from search.spaces.chooser import Chooser
from search.spaces.draw import draw_architecture
from search.spaces.presets import PRESETS
from search.study.draw import draw
from search.study.space_spec import SpaceSpec

WIDE = SpaceSpec.model_validate(
    {
        "image_size": [8, 32, 224],
        "batch_size": [16, 64],
        "learning_rate": {"low": 0.001, "high": 1.0, "log": True},
        "optimizer": ["sgd", "adamw"],
        "augmentation": {"ops": "all", "max_ops": 8, "copies": [0, 1, 2]},
    }
)
BLOCKS = ("Conv", "DWConv", "InvertedResidualv2")
PLAIN_STAGE = {"block": "Conv", "width": 32, "kernel": 3, "repeat": 1}
FIXED = SpaceSpec.model_validate({"learning_rate": 0.1, "augmentation": {"ops": ["Invert"], "max_ops": 1}})


class Noting:
    """A Chooser whose choices hypothesis makes; notes them, and how many ways each could have gone."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.values: dict[str, Any] = {}
        self.ways: dict[str, int] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._note(name, st.sampled_from(choices), len(choices))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        value: int = self._note(
            name, st.integers(0, (high - low) // step).map(lambda n: low + n * step), high - low + 1
        )
        return value

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False) -> Any:
        return self._note(name, st.floats(low, high), 2)

    def _note(self, name: str, strategy: st.SearchStrategy[Any], ways: int) -> Any:
        assert name not in self.values, "drawn twice"
        self.values[name] = self._data.draw(strategy)
        self.ways[name] = ways
        return self.values[name]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_every_candidate_is_the_same_after_json_and_again_from_its_assignment(data: st.DataObject) -> None:
    chooser = Noting(data)
    candidate = draw(WIDE, chooser, classes=6)
    assert Candidate.model_validate_json(candidate.model_dump_json()) == candidate
    recorded = json.loads(json.dumps(chooser.values))
    again = draw(WIDE, Replay(values=recorded), classes=6)
    assert again == candidate
    assert again.fingerprint == candidate.fingerprint


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_every_choice_is_a_real_one(data: st.DataObject) -> None:
    chooser = Noting(data)
    draw(WIDE, chooser, classes=6)
    assert min(chooser.ways.values()) > 1


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_fixed_values_are_no_parameters(data: st.DataObject) -> None:
    chooser = Noting(data)
    candidate = draw(FIXED, chooser, classes=6)
    assert not {"image_size", "batch_size", "learning_rate", "optimizer"} & set(chooser.values)
    assert {name for name in chooser.values if name.startswith("augmentation.")} <= {
        "augmentation.Invert",
        "augmentation.Invert.magnitude",
    }
    assert (candidate.image_size, candidate.batch_size, candidate.optimizer) == (64, 64, "sgd")
    assert candidate.learning_rate == 0.1


def blocks_small(chooser: Chooser, *, side_px: int = 64) -> tuple[Layer, ...]:
    return draw_architecture(PRESETS["blocks-small"], chooser, side_px=side_px, classes=6).backbone


def first_stages() -> set[Layer]:
    """Every first stage that ``blocks-small`` offers; FixedTrial rejects what it does not."""
    later = {f"stage{stage}.{name}": value for stage in (2, 3) for name, value in PLAIN_STAGE.items()}
    found = set()
    for block, width, kernel, repeat, expansion in product(BLOCKS, (8, 16, 24, 32), (3, 5), (1, 2, 3), (2, 4, 6)):
        first = {"block": block, "width": width, "kernel": kernel, "repeat": repeat, "expansion": expansion}
        chosen = {"stages": 3, "head_width": 128, **{f"stage1.{name}": value for name, value in first.items()}}
        found.add(blocks_small(chooser_of(FixedTrial({**later, **chosen})))[0])
    return found


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_a_stage_may_be_drawn_in_120_ways(data: st.DataObject) -> None:
    every = first_stages()
    assert len(every) == 120
    assert blocks_small(Noting(data))[0] in every


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(8, 256))
def test_a_network_is_halved_to_between_4_and_7_px_unless_it_has_too_few_stages(
    data: st.DataObject, side_px: int
) -> None:
    backbone = blocks_small(Noting(data), side_px=side_px)
    *stages, head, pool, classifier = backbone
    assert 3 <= len(stages) <= 6
    strides = [arguments[2] for _, _, arguments in stages]
    assert strides == sorted(strides, reverse=True)
    for stride in strides:
        side_px //= stride
    assert side_px >= 4
    assert side_px < 8 or set(strides) == {2}
    assert (head[1], pool, classifier) == ("Conv", (1, "GlobalAvgPool", ()), (1, "FixedConv", (6,)))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_policy_has_the_operations_that_were_switched_on_within_their_ranges(data: st.DataObject) -> None:
    space = SpaceSpec.model_validate({"augmentation": {"ops": "all", "magnitude": {"low": 0.2, "high": 0.4}}})
    chooser = Noting(data)
    policy = draw(space, chooser, classes=6).augmentation
    assert [operation.name for operation in policy.operations] == [
        name for name in OPERATION_NAMES if chooser.values[f"augmentation.{name}"]
    ]
    for operation in policy.operations:
        apart = operation.name in FLIP_NAMES + BATCH_OPERATION_NAMES
        assert operation.probability == (0.5 if apart else 1.0)
        assert operation.name in WITHOUT_MAGNITUDE or 0.2 <= operation.magnitude <= 0.4
    parts = (*policy.image_operations, *policy.flips, *policy.batch_operations)
    assert sorted(part.name for part in parts) == sorted(operation.name for operation in policy.operations)


def test_a_fixed_policy_is_every_candidates_and_draws_nothing() -> None:
    fixed = {"operations": [{"name": "Rotate", "magnitude": 0.3}, {"name": "MixUp"}], "max_ops": 1, "copies": 2}
    space = SpaceSpec.model_validate({"learning_rate": 0.1, "augmentation": {"fixed": fixed}})
    stages = {f"stage{stage}.{name}": value for stage in (1, 2, 3) for name, value in PLAIN_STAGE.items()}
    chooser = FixedTrial({"stages": 3, "head_width": 128, **stages})
    assert draw(space, chooser_of(chooser), classes=6).augmentation == Policy.model_validate(fixed)
    assert not any(name.startswith("augmentation") for name in chooser.params)
    assert SpaceSpec.model_validate_json(space.model_dump_json()) == space


@pytest.mark.parametrize("beside", [{"ops": ["Rotate"]}, {"max_ops": 3}, {"copies": [0, 1]}, {"magnitude": 0.5}])
def test_a_fixed_policy_is_not_searched_as_well(beside: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a fixed policy is not searched: leave out"):
        SpaceSpec.model_validate({"augmentation": {"fixed": {"operations": []}, **beside}})


def test_no_policy_to_search_means_flips_only() -> None:
    stages = {f"stage{stage}.{name}": value for stage in (1, 2, 3) for name, value in PLAIN_STAGE.items()}
    chooser = FixedTrial({"stages": 3, "head_width": 128, "learning_rate": 0.1, **stages})
    assert draw(SpaceSpec(), chooser_of(chooser), classes=2).augmentation == FLIP_ONLY


def test_a_layer_that_is_repeated_less_than_once_is_no_layer() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Architecture(backbone=((0, "Conv", (8,)),))
