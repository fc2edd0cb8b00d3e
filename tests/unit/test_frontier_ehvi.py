"""Expected hypervolume improvement against the hypervolume itself, and against random draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from search.pareto import hypervolume
from search.samplers.frontier.ehvi import attainment, ehvi, expected_improvement
from search.samplers.frontier.surrogate import Prediction

NODES = np.asarray(qmc.Sobol(2, rng=np.random.default_rng(0)).random(4096))
coordinate = st.floats(0.0, 1.0)
point = st.tuples(coordinate, coordinate, coordinate)


def exact(values: list[float]) -> Prediction:
    return Prediction(mean=np.asarray(values), std=np.zeros(len(values)))


@settings(max_examples=50, deadline=None)
@given(front=st.lists(point, min_size=1, max_size=8), candidate=point)
def test_where_nothing_is_uncertain_ehvi_is_the_improvement_of_the_hypervolume(
    front: list[tuple[float, float, float]], candidate: tuple[float, float, float]
) -> None:
    observed = np.asarray(front)
    levels = attainment(NODES, observed[:, 1:], observed[:, 0], 1.0)
    value, *costs = ([coordinate] for coordinate in candidate)
    (improvement,) = ehvi(exact(value), [exact(cost) for cost in costs], NODES, levels)
    both = np.vstack([observed, candidate])
    assert improvement == pytest.approx(hypervolume(both, np.ones(3)) - hypervolume(observed, np.ones(3)), abs=0.01)


def test_an_uncertain_value_and_an_uncertain_cost_improve_what_their_draws_improve_on_average() -> None:
    observed = np.array([[0.7, 0.2, 0.3], [0.4, 0.6, 0.5]])
    levels = attainment(NODES, observed[:, 1:], observed[:, 0], 1.0)
    value = Prediction(mean=np.array([0.5]), std=np.array([0.2]))
    cost = Prediction(mean=np.array([0.4]), std=np.array([0.1]))
    (improvement,) = ehvi(value, [cost, exact([0.25])], NODES, levels)
    rng = np.random.default_rng(1)
    drawn = [
        ehvi(exact([rng.normal(0.5, 0.2)]), [exact([rng.normal(0.4, 0.1)]), exact([0.25])], NODES, levels)
        for _ in range(1000)
    ]
    assert improvement == pytest.approx(np.mean(drawn), rel=0.1)


def test_the_ehvi_of_one_objective_is_its_expected_improvement() -> None:
    nodes = np.empty((1, 0))
    levels = attainment(nodes, np.empty((2, 0)), np.array([0.6, 0.4]), 1.0)
    prediction = Prediction(mean=np.array([0.5, 0.3]), std=np.array([0.1, 0.1]))
    improvement = ehvi(prediction, [], nodes, levels)
    assert improvement == pytest.approx(expected_improvement(prediction.mean, prediction.std, np.array(0.4)))


def test_what_costs_no_less_and_is_surely_worse_improves_nothing() -> None:
    levels = attainment(NODES, np.array([[0.2, 0.2]]), np.array([0.3]), 1.0)
    assert ehvi(exact([0.5]), [exact([0.4]), exact([0.4])], NODES, levels) == pytest.approx([0.0], abs=1e-9)
