"""The competition's score on its published results, constraints and their complaints."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.contract.metrics import NATURAL_GOALS, Constraint, Goal, Score, first_complaint

# (F1, seconds, score) as the competition published them; its own rounding is within 0.003.
PUBLISHED = [(0.6769, 57.07, 1.275), (0.7531, 68.5, 1.0503), (0.7013, 55.8, 1.1396), (0.70, 60.0, 1.195)]
bounds = st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)).map(sorted)


@pytest.mark.parametrize(("f1", "total_s", "expected"), PUBLISHED)
def test_the_score_is_that_of_the_competition(f1: float, total_s: float, expected: float) -> None:
    score = Score()
    assert score.of(f1=f1, latency_ms=1000 * total_s / score.images) == pytest.approx(expected, abs=0.003)


def test_overhead_counts_as_time() -> None:
    whole = Score().of(f1=0.7, latency_ms=1000 * 60 / 5217)
    assert Score(overhead_s=40).of(f1=0.7, latency_ms=1000 * 20 / 5217) == pytest.approx(whole)


@settings(deadline=None)
@given(f1=st.floats(0, 1), latency_ms=st.floats(0, 1e6), steepness=st.floats(0.1, 1e6))
def test_the_score_is_finite_whatever_the_steepness(f1: float, latency_ms: float, steepness: float) -> None:
    assert math.isfinite(Score(f1_steepness=steepness).of(f1=f1, latency_ms=latency_ms))


@settings(deadline=None)
@given(f1s=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted), times=bounds)
def test_a_better_f1_and_a_shorter_time_never_score_worse(f1s: list[float], times: list[float]) -> None:
    slow_ms, fast_ms = abs(times[1]), min(abs(times[0]), abs(times[1]))
    assert Score().of(f1=f1s[1], latency_ms=fast_ms) <= Score().of(f1=f1s[0], latency_ms=slow_ms)


@settings(deadline=None)
@given(value=st.floats(-1e9, 1e9), pair=bounds)
def test_a_constraint_is_broken_just_outside_its_bounds_and_complains_of_the_value(
    value: float, pair: list[float]
) -> None:
    low, high = pair
    constraint = Constraint(metric="params", min=low, max=high)
    broken = constraint.violation(value) > 0
    assert broken == (not low <= value <= high)
    complaint = first_complaint([constraint], {"params": value})
    assert (complaint is not None) == broken
    if complaint is not None:
        assert f"params {value:g} is {'above' if value > high else 'below'} the limit of " in complaint


def test_a_bound_itself_is_allowed() -> None:
    assert Constraint(metric="params", max=100).violation(100) == 0
    assert Constraint(metric="f1", min=0.5).violation(0.5) == 0


def test_the_first_broken_constraint_is_told_and_unknown_metrics_are_passed_over() -> None:
    constraints = [
        Constraint(metric="latency_ms", max=1),
        Constraint(metric="macs", max=5e6),
        Constraint(metric="params", max=1000),
    ]
    assert first_complaint(constraints, {"macs": 6e6, "params": 2000}) == "macs 6e+06 is above the limit of 5e+06"
    assert first_complaint(constraints, {"macs": 1.0}) is None


def test_a_share_is_better_when_larger_and_a_cost_when_smaller() -> None:
    larger = {metric for metric, goal in NATURAL_GOALS.items() if goal is Goal.MAXIMIZE}
    assert larger == {"f1", "accuracy"}
