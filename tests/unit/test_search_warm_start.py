"""What a study has from earlier ones, and the points that it tries first."""

from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from pydantic import ValidationError

from search.contract.states import TrialState
from search.contract.trials import Assignment, PastTrial
from search.samplers.frontier import Description, FrontierSampler, TransferData
from search.samplers.optuna_trials import chooser_of
from search.samplers.warm_start import transfer_data
from search.spaces.chooser import Chooser
from search.study.enqueue import PointError, checked_point
from tests.unit.search_studies import MemoryLog, make_search, tiny_spec

LAYERS = 7
SPACE = tiny_spec(learning_rate={"low": 0.01, "high": 0.1}).space


def past(f1: float, width: int, macs: float) -> PastTrial:
    assignment: Assignment = {"width": width, "conv.block": "DWConv"}
    return PastTrial(number=0, state=TrialState.COMPLETED, assignment=assignment, metrics={"f1": f1, "macs": macs})


TRIALS = [
    past(f1, width, macs) for f1, width, macs in ((0.5, 8, 9.0), (0.7, 32, 30.0), (0.6, 16, 20.0), (0.1, 24, 25.0))
]


def test_an_earlier_study_is_taken_over_by_ranks_and_by_its_front() -> None:
    earlier = transfer_data([*TRIALS, past(0.65, 32, 40.0)], tiny_spec())
    assert earlier is not None
    assert [params["width"] for params in earlier.points] == [32, 32, 16, 8, 24]
    assert list(earlier.scores) == sorted(earlier.scores)
    assert sum(earlier.scores) == pytest.approx(0.0, abs=1e-9)
    assert {params["width"] for params in earlier.front} == {8, 16, 32}


def test_values_of_another_scale_make_the_same_ranks() -> None:
    other = [replace(trial, metrics={**trial.metrics, "f1": trial.metrics["f1"] ** 3 / 2}) for trial in TRIALS]
    first, second = (transfer_data([*trials, past(0.0, 8, 50.0)], tiny_spec()) for trials in (TRIALS, other))
    assert first is not None
    assert second is not None
    assert (first.scores, first.points) == (second.scores, second.points)


def test_a_study_that_says_too_little_is_left_out() -> None:
    assert transfer_data(TRIALS, tiny_spec()) is None
    costs = [{"metric": "macs", "goal": "minimize"}, {"metric": "params", "goal": "minimize"}]
    assert transfer_data([*TRIALS, past(0.0, 8, 50.0)], tiny_spec(objectives=costs)) is None


def test_the_first_trials_of_a_warm_study_are_of_the_earlier_front() -> None:
    earlier = transfer_data([*TRIALS, past(0.65, 32, 40.0)], tiny_spec())
    assert earlier is not None
    log = MemoryLog(budget=3)
    search = make_search(tiny_spec(sampler={"name": "frontier"}), log, transfer=[earlier])
    for number in range(3):
        search.suggest(str(number))
    assert {assignment["width"] for assignment in log.assignments} == {8, 16, 32}


def layers_of(chooser: Chooser) -> list[int]:
    return [chooser.suggest_categorical(f"layer{number}", (0, 1, 2)) for number in range(LAYERS)]


def quality(layers: list[int]) -> float:
    return float(sum(size * (LAYERS - number) for number, size in enumerate(layers)) - 4 * layers[1] * layers[2])


def describe(chooser: Chooser) -> Description:
    layers_of(chooser)
    return Description()


def best_after(trials: int, *, transfer: list[TransferData], seed: int) -> float:
    study = optuna.create_study(
        direction="maximize", sampler=FrontierSampler(describe=describe, transfer=transfer, seed=seed)
    )
    study.optimize(lambda trial: np.exp(quality(layers_of(chooser_of(trial))) / 8), n_trials=trials)
    return float(study.best_value)


def test_a_study_on_another_scale_makes_the_next_one_quicker() -> None:
    rng = np.random.default_rng(0)
    points = [[int(size) for size in rng.integers(3, size=LAYERS)] for _ in range(60)]
    points.sort(key=quality, reverse=True)
    named: list[dict[str, Any]] = [{f"layer{number}": size for number, size in enumerate(point)} for point in points]
    earlier = TransferData(points=named, scores=list(np.linspace(-1.5, 1.5, 60)), front=())
    warm, cold = (
        np.mean([best_after(10, transfer=studies, seed=seed) for seed in range(8)]) for studies in ([earlier], [])
    )
    assert warm > cold


def test_without_a_description_nothing_can_be_learned_of_earlier_studies() -> None:
    with pytest.raises(ValueError, match="describe"):
        FrontierSampler(transfer=[TransferData(points=[{}], scores=[0.0], front=[])])


def test_a_study_cannot_start_warm_with_a_sampler_that_learns_from_itself_only() -> None:
    with pytest.raises(ValidationError, match="tpe learns from no other study"):
        tiny_spec(warm_start=["first"])


def test_a_point_may_name_some_of_the_parameters_and_is_written_as_the_space_does() -> None:
    point = checked_point(SPACE, {"width": 16.0, "learning_rate": 0.1})
    assert point == {"width": 16, "learning_rate": 0.1}
    assert type(point["width"]) is int
    assert checked_point(SPACE, {"conv.block": "Conv", "kernel": 5}) == {"conv.block": "Conv", "kernel": 5}


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"width": 9}, "width is one of 8, 16, 24, 32, got 9"),
        ({"width": True}, "width is one of"),
        ({"learning_rate": 0.2}, "learning_rate lies between 0.01 and 0.1, got 0.2"),
        ({"learning_rate": "fast"}, "learning_rate lies between"),
        (
            {"wdith": 8},
            "wdith: no parameter beside the other choices of this point; there are conv.block, width, kernel",
        ),
        ({"conv.block": "DWConv", "kernel": 5}, "kernel: no parameter beside"),
    ],
)
def test_a_point_that_the_space_does_not_hold_is_refused_with_the_reason(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(PointError) as refused:
        checked_point(SPACE, choices)
    assert message in str(refused.value)
