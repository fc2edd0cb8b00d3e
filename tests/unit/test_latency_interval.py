"""The bootstrap interval of the median, against distributions whose median is known."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workers.latency.interval import median, median_interval

_times = arrays(
    float, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(0.01, 1000, allow_subnormal=False)
)


@settings(deadline=None)
@given(times=_times)
def test_the_ends_are_values_that_occurred_in_order(times: npt.NDArray[np.float64]) -> None:
    low, high = median_interval(times)
    assert low <= high
    assert {low, high, median(times)} <= set(times.ravel())


@settings(deadline=None)
@given(times=_times, factor=st.sampled_from([0.5, 2.0, 1024.0]))
def test_the_unit_does_not_matter(times: npt.NDArray[np.float64], factor: float) -> None:
    low, high = median_interval(times)
    assert median_interval(times * factor) == (low * factor, high * factor)


@pytest.mark.parametrize("session_spread", [0.0, 0.02, 0.1])
@pytest.mark.parametrize(("rounds", "runs"), [(10, 20), (25, 100)])
def test_about_95_percent_of_the_intervals_hold_the_true_median(rounds: int, runs: int, session_spread: float) -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(60):
        sessions = random.normal(0, session_spread, (rounds, 1))
        low, high = median_interval(np.exp(sessions + random.normal(0, 0.03, (rounds, runs))))
        held += low <= 1 <= high
    assert held >= 51


def test_sessions_that_differ_widen_the_interval_though_each_is_steady() -> None:
    random = np.random.default_rng(0)
    alike = 1 + random.normal(0, 0.001, (10, 50))
    apart = alike + np.linspace(-0.05, 0.05, 10)[:, None]
    (low, high), (wide_low, wide_high) = median_interval(alike), median_interval(apart)
    assert wide_high - wide_low > 10 * (high - low)


def test_a_single_round_has_an_interval_without_width() -> None:
    assert median_interval(np.array([[1.0, 2.0, 3.0]])) == (2.0, 2.0)
