"""The expected gain of hypervolume against the hypervolume itself, and against chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from search.pareto import hypervolume
from search.samplers.frontier.gain import Guess, attained, expected_gain, expected_improvement

CORNERS = np.asarray(qmc.Sobol(2, rng=np.random.default_rng(0)).random(4096))
coordinate = st.floats(0.0, 1.0)
point = st.tuples(coordinate, coordinate, coordinate)


def exact(values: list[float]) -> Guess:
    return Guess(mean=np.asarray(values), deviation=np.zeros(len(values)))


@settings(max_examples=50, deadline=None)
@given(front=st.lists(point, min_size=1, max_size=8), candidate=point)
def test_where_nothing_is_uncertain_the_gain_is_that_of_the_hypervolume(
    front: list[tuple[float, float, float]], candidate: tuple[float, float, float]
) -> None:
    known = np.asarray(front)
    levels = attained(CORNERS, known[:, 1:], known[:, 0], 1.0)
    value, *costs = ([coordinate] for coordinate in candidate)
    (gain,) = expected_gain(exact(value), [exact(cost) for cost in costs], CORNERS, levels)
    both = np.vstack([known, candidate])
    assert gain == pytest.approx(hypervolume(both, np.ones(3)) - hypervolume(known, np.ones(3)), abs=0.01)


def test_an_uncertain_value_and_an_uncertain_cost_gain_what_their_draws_gain_on_average() -> None:
    known = np.array([[0.7, 0.2, 0.3], [0.4, 0.6, 0.5]])
    levels = attained(CORNERS, known[:, 1:], known[:, 0], 1.0)
    value = Guess(mean=np.array([0.5]), deviation=np.array([0.2]))
    cost = Guess(mean=np.array([0.4]), deviation=np.array([0.1]))
    (gain,) = expected_gain(value, [cost, exact([0.25])], CORNERS, levels)
    rng = np.random.default_rng(1)
    drawn = [
        expected_gain(exact([rng.normal(0.5, 0.2)]), [exact([rng.normal(0.4, 0.1)]), exact([0.25])], CORNERS, levels)
        for _ in range(1000)
    ]
    assert gain == pytest.approx(np.mean(drawn), rel=0.1)


def test_one_objective_gains_its_expected_improvement() -> None:
    corners = np.empty((1, 0))
    levels = attained(corners, np.empty((2, 0)), np.array([0.6, 0.4]), 1.0)
    guess = Guess(mean=np.array([0.5, 0.3]), deviation=np.array([0.1, 0.1]))
    gain = expected_gain(guess, [], corners, levels)
    assert gain == pytest.approx(expected_improvement(guess.mean, guess.deviation, np.array(0.4)))


def test_what_costs_no_less_and_is_surely_worse_gains_nothing() -> None:
    levels = attained(CORNERS, np.array([[0.2, 0.2]]), np.array([0.3]), 1.0)
    assert expected_gain(exact([0.5]), [exact([0.4]), exact([0.4])], CORNERS, levels) == pytest.approx([0.0], abs=1e-9)
