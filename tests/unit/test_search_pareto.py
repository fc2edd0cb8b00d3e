"""Fronts against a comparison of all pairs, hypervolumes against inclusion and exclusion and Optuna's own, spread."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from optuna._hypervolume import compute_hypervolume

from search.contract.metrics import Goal, Objective
from search.pareto import Losses, front, hypervolume, losses_of, reference_point, spread

OBJECTIVES = [Objective(metric="f1", goal=Goal.MAXIMIZE), Objective(metric="macs", goal=Goal.MINIMIZE)]


def points(*, most: int, least: int = 1) -> st.SearchStrategy[Losses]:
    """Few levels, so that ties and equal points are common."""
    shapes = st.tuples(st.integers(least, most), st.integers(1, 4))
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=st.integers(0, 4).map(float)))


def dominates(better: Losses, worse: Losses) -> bool:
    return bool((better <= worse).all() and (better < worse).any())


def volume_by_inclusion_and_exclusion(losses: Losses, reference: Losses) -> float:
    """The volume of a union of boxes: boxes that overlap are subtracted, added again, and so on."""
    subsets = chain.from_iterable(combinations(losses, size) for size in range(1, len(losses) + 1))
    corners = ((len(subset), np.max(subset, axis=0)) for subset in subsets)
    return sum((-1.0) ** (size + 1) * float(np.prod(np.maximum(reference - corner, 0))) for size, corner in corners)


@settings(deadline=None)
@given(points(most=12))
def test_the_front_is_what_no_other_point_dominates_with_the_first_of_equals(losses: Losses) -> None:
    expected = [
        index
        for index, point in enumerate(losses)
        if not any(dominates(other, point) for other in losses)
        and not any((losses[earlier] == point).all() for earlier in range(index))
    ]
    assert front(losses).tolist() == expected


def test_the_front_of_nothing_is_empty() -> None:
    assert front(np.empty((0, 3))).tolist() == []


@settings(deadline=None)
@given(points(most=6), st.integers(1, 6))
def test_the_hypervolume_is_that_of_the_union_of_boxes(losses: Losses, corner: int) -> None:
    reference = np.full(losses.shape[1], float(corner))
    expected = volume_by_inclusion_and_exclusion(losses, reference)
    assert hypervolume(losses, reference) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(points(most=40, least=2))
def test_the_hypervolume_is_the_same_as_optunas(losses: Losses) -> None:
    assume(losses.shape[1] > 1)
    reference = np.full(losses.shape[1], 5.0)
    assert hypervolume(losses, reference) == pytest.approx(compute_hypervolume(losses, reference))


def test_points_beyond_the_reference_add_nothing() -> None:
    reference = np.array([1.0, 1.0])
    assert hypervolume(np.array([[2.0, 0.0], [0.0, 1.0]]), reference) == 0
    assert hypervolume(np.empty((0, 2)), reference) == 0


@settings(deadline=None)
@given(points(most=12))
def test_every_point_lies_inside_its_reference_point(losses: Losses) -> None:
    assert (losses < reference_point(losses)).all()


@settings(deadline=None)
@given(points(most=12), st.integers(0, 15))
def test_spread_takes_as_many_different_points_as_there_are(losses: Losses, count: int) -> None:
    chosen = spread(losses, count)
    assert len(set(chosen)) == len(chosen) == min(count, len(losses))


def test_spread_begins_with_the_best_of_each_objective_and_goes_on_with_the_farthest() -> None:
    line = np.array([[step, 10.0 - step] for step in (0.0, 1.0, 2.0, 5.0, 9.0, 10.0)])
    assert spread(line, 3) == [0, 5, 3]
    assert spread(line, 1) == [0]


def test_spread_does_not_depend_on_units() -> None:
    losses = np.random.default_rng(0).random((20, 3))
    assert spread(losses, 6) == spread(losses * [1e-3, 1.0, 1e6] + [5.0, -2.0, 0.0], 6)


def test_losses_negate_what_is_maximized() -> None:
    rows = [{"f1": 0.5, "macs": 10.0, "params": 3.0}, {"f1": 0.7, "macs": 20.0}]
    assert losses_of(OBJECTIVES, rows).tolist() == [[-0.5, 10.0], [-0.7, 20.0]]
    assert losses_of(OBJECTIVES, []).shape == (0, 2)
    with pytest.raises(KeyError, match="macs"):
        losses_of(OBJECTIVES, [{"f1": 0.5}])
