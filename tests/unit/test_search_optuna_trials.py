"""Recorded trials as Optuna's, and their violations."""

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState as OptunaState

from search.contract.metrics import Constraint
from search.contract.states import TrialState
from search.contract.trials import PastTrial
from search.samplers.optuna_trials import Replay, directions, frozen_trial, violations
from tests.unit.search_studies import CLASSES, tiny_spec

DEPTHWISE = {"width": 16, "conv.block": "DWConv"}
METRICS = {"f1": 0.5, "macs": 100.0, "params": 48.0}


def past(**fields: object) -> PastTrial:
    values = {"number": 7, "state": TrialState.COMPLETED, "assignment": DEPTHWISE, "metrics": METRICS, **fields}
    return PastTrial(**values)  # type: ignore[arg-type]


def test_directions_follow_the_objectives() -> None:
    assert directions(tiny_spec()) == ["maximize", "minimize"]


def test_a_completed_trial_carries_its_objectives_choices_and_metrics() -> None:
    trial = frozen_trial(past(), tiny_spec(), classes=CLASSES)
    assert trial.state is OptunaState.COMPLETE
    assert trial.values == [0.5, 100.0]
    assert trial.params == DEPTHWISE
    assert set(trial.distributions) == set(DEPTHWISE)
    assert trial.user_attrs == {"number": 7, "state": "COMPLETED", **METRICS}


def test_a_completed_trial_without_an_objective_is_an_error_that_names_both() -> None:
    with pytest.raises(ValueError, match="trial 7 is completed without macs"):
        frozen_trial(past(metrics={"f1": 0.5}), tiny_spec(), classes=CLASSES)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (TrialState.STOPPED, OptunaState.PRUNED),
        (TrialState.INFEASIBLE, OptunaState.PRUNED),
        (TrialState.FAILED, OptunaState.FAIL),
        (TrialState.CANCELLED, OptunaState.FAIL),
    ],
)
def test_a_trial_that_gave_no_result_has_no_values(state: TrialState, expected: OptunaState) -> None:
    trial = frozen_trial(past(state=state, metrics={}), tiny_spec(), classes=CLASSES)
    assert trial.state is expected
    assert trial.values is None


def test_a_recorded_choice_that_the_space_does_not_offer_is_an_error() -> None:
    with pytest.raises(ValueError, match="99"):
        frozen_trial(past(assignment={**DEPTHWISE, "width": 99}), tiny_spec(), classes=CLASSES)


def test_a_replay_makes_the_recorded_choices_and_notes_what_there_was_to_choose_from() -> None:
    replay = Replay(values={"a": "x", "b": 2, "c": 0.1})
    assert replay.suggest_categorical("a", ("x", "y")) == "x"
    assert replay.suggest_int("b", 0, 8, step=2) == 2
    assert replay.suggest_float("c", 0.01, 1.0, log=True) == 0.1
    assert replay.distributions == {
        "a": optuna.distributions.CategoricalDistribution(("x", "y")),
        "b": optuna.distributions.IntDistribution(0, 8, step=2),
        "c": optuna.distributions.FloatDistribution(0.01, 1.0, log=True),
    }


@settings(deadline=None)
@given(
    value=st.floats(-1e6, 1e6),
    bounds=st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).map(sorted),
)
def test_two_constraints_on_one_metric_are_as_strict_as_one_with_both_bounds(value: float, bounds: list[float]) -> None:
    low, high = bounds
    apart = [Constraint(metric="f1", min=low), Constraint(metric="f1", max=high)]
    for constraints in (apart, apart[::-1]):
        assert (violations(constraints, {"f1": value})["f1"] <= 0) == (low <= value <= high)


def test_a_violation_is_a_share_of_the_bound_and_metrics_that_are_not_known_are_passed_over() -> None:
    constraints = [Constraint(metric="params", max=1000), Constraint(metric="f1", min=0.5)]
    assert violations(constraints, {"params": 1500}) == {"params": pytest.approx(0.5)}
    assert violations(constraints, {"params": 500, "f1": 0.4}) == {
        "params": pytest.approx(-0.5),
        "f1": pytest.approx(0.2),
    }
