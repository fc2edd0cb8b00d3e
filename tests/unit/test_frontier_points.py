"""Points of a space: drawing, moving and encoding them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search.samplers.distributions import allows, from_unit, to_unit
from search.samplers.frontier.candidates import cross, mutate
from search.samplers.frontier.encoding import Encoder, Standardizer
from search.samplers.frontier.points import Description, Point, describe_point
from search.spaces.chooser import FAMILY, Chooser

DISTRIBUTIONS = [
    FloatDistribution(-1.0, 3.0),
    FloatDistribution(1e-4, 1.0, log=True),
    FloatDistribution(0.0, 1.0, step=0.1),
    IntDistribution(1, 7),
    IntDistribution(1, 1000, log=True),
    IntDistribution(8, 64, step=8),
]


def network(chooser: Chooser) -> Description:
    """A space with a condition: only a conv has a kernel."""
    depth = chooser.suggest_int("depth", 1, 4)
    kernel = chooser.suggest_categorical("kernel", (3, 5)) if chooser.suggest_categorical("conv", (True, False)) else 1
    chooser.suggest_float("rate", 1e-3, 1.0, log=True)
    return Description(objectives={1: float(depth * kernel**2)})


def some(count: int, **wanted: Any) -> list[Point]:
    rng = np.random.default_rng(0)
    return [describe_point(network, wanted, rng) for _ in range(count)]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=str)
@given(position=st.floats(-0.5, 1.5))
def test_every_position_in_a_range_is_a_value_of_it_that_leads_back(
    distribution: BaseDistribution, position: float
) -> None:
    value = from_unit(distribution, position)
    assert allows(distribution, value)
    assert 0.0 <= to_unit(distribution, value) <= 1.0


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=str)
def test_both_ends_of_a_range_are_drawn(distribution: IntDistribution | FloatDistribution) -> None:
    assert from_unit(distribution, 0.0) == pytest.approx(distribution.low)
    assert from_unit(distribution, 1.0) == pytest.approx(distribution.high, rel=1e-9)


def test_each_choice_has_an_equal_part_of_the_range() -> None:
    distribution = CategoricalDistribution(("a", "b", None))
    assert [from_unit(distribution, position) for position in (0.0, 0.3, 0.34, 0.6, 0.7, 1.0)] == [
        "a",
        "a",
        "b",
        "b",
        *[None] * 2,
    ]


def test_a_point_has_the_wanted_choices_where_they_are_allowed_and_no_others() -> None:
    (point,) = some(1, depth=3, conv=False, kernel=5, rate=7.0)
    assert {**point.params, "rate": None} == {"depth": 3, "conv": False, "rate": None}
    rate = point.params["rate"]
    assert isinstance(rate, float)
    assert 1e-3 <= rate <= 1.0
    assert point.description.objectives == {1: 3.0}


def test_a_mutant_differs_in_few_choices_and_has_what_its_choices_need() -> None:
    rng = np.random.default_rng(1)
    for parent in some(50):
        wanted = mutate(parent, rng)
        assert wanted.keys() == parent.params.keys()
        child = describe_point(network, wanted, rng)
        assert ("kernel" in child.params) == child.params["conv"]
    changed = [sum(mutate(parent, rng)[name] != value for name, value in parent.params.items()) for parent in some(200)]
    assert 1.0 < np.mean(changed) < 2.0


def test_a_cross_has_each_choice_of_one_of_its_parents() -> None:
    first, second = some(1, conv=True, depth=1)[0], some(1, conv=False, depth=4)[0]
    drawn = [cross(first, second, np.random.default_rng(seed)) for seed in range(30)]
    assert {wanted["depth"] for wanted in drawn} == {1, 4}
    assert all(wanted["kernel"] == first.params["kernel"] for wanted in drawn)


def test_a_description_holds_finite_numbers_only() -> None:
    with pytest.raises(ValueError, match="finite"):
        Description(objectives={0: float("nan")})


def test_rows_of_earlier_points_stay_valid_when_columns_are_added() -> None:
    encoder = Encoder()
    without, with_kernel = some(1, conv=False)[0], some(1, conv=True, kernel=5)[0]
    early = encoder.row(without)
    columns = encoder.matrix([early]).shape[1]
    later = encoder.row(with_kernel)
    matrix = encoder.matrix([early, later])
    assert matrix.shape[1] > columns
    assert np.isnan(matrix[0, columns:]).all()
    assert not np.isnan(matrix[1]).any()


def test_standardized_columns_have_mean_0_and_variance_1_and_what_is_unknown_lies_at_the_mean() -> None:
    encoder = Encoder()
    matrix = encoder.matrix([encoder.row(point) for point in some(200)])
    features = Standardizer(matrix)(matrix)
    assert np.abs(features.mean(axis=0)).max() < 1e-9
    present = ~np.isnan(matrix)
    assert features.std(axis=0)[present.all(axis=0)] == pytest.approx(1.0)
    assert (features[~present] == 0.0).all()


def test_a_column_that_never_differs_is_left_out() -> None:
    encoder = Encoder()
    matrix = encoder.matrix([encoder.row(point) for point in some(20, depth=2, conv=False)])
    assert Standardizer(matrix)(matrix).shape[1] == 1


def test_the_parameters_of_a_family_describe_points_as_a_whole_like_those_of_an_only_space() -> None:
    def describe(chooser: Chooser) -> Description:
        family = chooser.suggest_categorical(FAMILY, ("a", "b"))
        chooser.suggest_int(f"{family}.stages", 1, 4)
        chooser.suggest_int(f"{family}.stage1.width", 1, 4)
        return Description()

    rng, encoder = np.random.default_rng(0), Encoder()
    rows = [encoder.row(describe_point(describe, {FAMILY: family}, rng)) for family in "aabb" * 5]
    whole, every = encoder.column_groups(Standardizer(encoder.matrix(rows)))
    assert (len(whole), len(every)) == (2 + 2, 2 + 2 + 2)
