"""Splits are stratified, the test split too; they keep a photo's rows together and depend on content and seed only."""

import hashlib
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from workers.data import ClassError
from workers.data.splits import Splits, held_out_for_test, split


def key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def make(
    labels: ArrayLike,
    groups: Sequence[bytes],
    *,
    given: NDArray[np.bool_] | None = None,
    validation_fraction: float = 0.2,
    subset_fraction: float = 1.0,
    seed: int = 0,
) -> Splits:
    labels = np.asarray(labels, np.int64)
    classes = [f"class {label}" for label in range(labels.max() + 1)]
    return split(
        labels,
        groups,
        classes,
        given=given,
        validation_fraction=validation_fraction,
        subset_fraction=subset_fraction,
        seed=seed,
    )


@st.composite
def labelled_groups(draw: st.DrawFn) -> tuple[list[int], list[bytes]]:
    """Rows in groups of one class or several, with at least two groups that hold one class only, for each class."""
    n_classes = draw(st.integers(2, 4))
    labels = [label for label in range(n_classes) for _ in range(2)]
    groups = list(range(len(labels)))
    for _ in range(draw(st.integers(0, 60))):
        labels.append(draw(st.integers(0, n_classes - 1)))
        groups.append(draw(st.integers(len(groups) - 3, len(groups) + 3).filter(lambda group: group >= 2 * n_classes)))
    return labels, [key(group) for group in groups]


@settings(max_examples=80, deadline=None)
@given(data=labelled_groups(), seed=st.integers(0, 2**32 - 1), fraction=st.floats(0.05, 0.95))
def test_sides_share_no_photo_and_each_has_every_class(
    data: tuple[list[int], list[bytes]], seed: int, fraction: float
) -> None:
    labels, groups = data
    splits = make(labels, groups, seed=seed, validation_fraction=fraction)
    train = {groups[row] for row in splits.full_train}
    validation = {groups[row] for row in splits.validation}
    assert not train & validation
    assert sorted([*splits.full_train, *splits.validation]) == list(range(len(labels)))
    for rows in (splits.full_train, splits.validation, splits.train, splits.calibration):
        assert {labels[row] for row in rows} == set(labels)
    assert set(splits.train) | set(splits.calibration) <= set(splits.full_train)


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(2, 60), min_size=2, max_size=5),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 1000),
)
def test_each_class_gives_its_share_to_validation(counts: list[int], fraction: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    splits = make(labels, [key(row) for row in range(len(labels))], validation_fraction=fraction, seed=seed)
    held_out = np.bincount(labels[splits.validation])
    assert held_out.tolist() == [min(max(1, round(fraction * count)), count - 1) for count in counts]


@settings(max_examples=50, deadline=None)
@given(small=st.floats(0.01, 1.0), large=st.floats(0.01, 1.0), seed=st.integers(0, 1000))
def test_a_smaller_subset_lies_inside_a_larger_one(small: float, large: float, seed: int) -> None:
    assume(small <= large)
    labels = np.repeat([0, 1, 2], [4, 20, 50])
    groups = [key(row) for row in range(len(labels))]
    inner, outer = (make(labels, groups, subset_fraction=fraction, seed=seed) for fraction in (small, large))
    assert set(inner.train) <= set(outer.train)
    assert np.array_equal(inner.validation, outer.validation)
    all_counts = np.bincount(labels[inner.full_train]).tolist()
    assert np.bincount(labels[inner.train]).tolist() == [max(1, round(small * count)) for count in all_counts]


def test_the_subset_of_all_is_all() -> None:
    labels = np.repeat([0, 1], [10, 30])
    splits = make(labels, [key(row) for row in range(40)])
    assert np.array_equal(splits.train, splits.full_train)


def test_another_seed_gives_another_split_and_the_same_seed_the_same() -> None:
    labels = np.repeat([0, 1], 50)
    groups = [key(row) for row in range(100)]
    first, again, other = (make(labels, groups, seed=seed).validation for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_new_image_moves_hardly_any_other() -> None:
    labels = np.repeat([0, 1], 100)
    groups = [key(row) for row in range(200)]
    before = set(make(labels, groups).validation)
    after = set(make([*labels, 0], [*groups, key(999)]).validation)
    assert len(before - after) <= 1


def test_large_groups_are_not_preferred_on_either_side() -> None:
    labels = np.repeat([0, 1], 300)
    groups = [key(row // 3) for row in range(600)]
    splits = make(labels, groups, validation_fraction=0.2)
    assert abs(len(splits.validation) - 120) <= 4


def test_a_class_of_one_photo_only_is_an_error_that_names_it() -> None:
    labels = [0] * 10 + [1] * 5
    groups = [key(row) for row in range(10)] + [key(100)] * 5
    with pytest.raises(ClassError, match=r"'class 1' cannot be on both sides.*other photos"):
        make(labels, groups)


def test_a_given_split_is_taken_as_it_is() -> None:
    labels = [0, 0, 0, 1, 1, 1]
    given_rows = np.array([True, False, False, False, False, True])
    splits = make(labels, [key(row) for row in range(6)], given=given_rows)
    assert splits.validation.tolist() == [0, 5]
    assert splits.full_train.tolist() == [1, 2, 3, 4]


def test_calibration_is_a_stratified_part_of_training_of_about_512() -> None:
    labels = np.repeat([0, 1], [4000, 1000])
    splits = make(labels, [key(row) for row in range(5000)])
    assert np.bincount(labels[splits.calibration]).tolist() == [410, 102]


def groups_of(labels: Sequence[int], groups: Sequence[bytes], rows: NDArray[np.bool_]) -> dict[int, set[bytes]]:
    chosen: dict[int, set[bytes]] = {label: set() for label in labels}
    for label, group, row in zip(labels, groups, rows, strict=True):
        if row:
            chosen[label].add(group)
    return chosen


@settings(max_examples=80, deadline=None)
@given(data=labelled_groups(), seed=st.integers(0, 2**32 - 1), fraction=st.floats(0.01, 0.95))
def test_no_photo_crosses_into_test_and_each_class_keeps_two(
    data: tuple[list[int], list[bytes]], seed: int, fraction: float
) -> None:
    labels, groups = data
    test = held_out_for_test(np.array(labels), groups, fraction, seed)
    assert not {groups[row] for row in np.flatnonzero(test)} & {groups[row] for row in np.flatnonzero(~test)}
    assert all(len(kept) >= 2 for kept in groups_of(labels, groups, ~test).values())


@settings(max_examples=80, deadline=None)
@given(data=labelled_groups(), seed=st.integers(0, 1000), fraction=st.floats(0.01, 0.95))
def test_what_can_be_validated_on_still_can_without_its_test_rows(
    data: tuple[list[int], list[bytes]], seed: int, fraction: float
) -> None:
    labels, groups = data
    rest = np.flatnonzero(~held_out_for_test(np.array(labels), groups, fraction, seed))
    splits = make([labels[row] for row in rest], [groups[row] for row in rest], seed=seed)
    for rows in (splits.full_train, splits.validation):
        assert {labels[rest[row]] for row in rows} == set(labels)


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=5), fraction=st.floats(0, 0.99), seed=st.integers(0, 1000)
)
def test_each_class_gives_its_share_to_test_and_a_small_one_none(counts: list[int], fraction: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    test = held_out_for_test(labels, [key(row) for row in range(len(labels))], fraction, seed)
    shares = np.bincount(labels[test], minlength=len(counts)).tolist()
    assert shares == [max(0, min(round(fraction * count), count - 2)) for count in counts]


@settings(max_examples=50, deadline=None)
@given(data=labelled_groups(), seed=st.integers(0, 1000), shuffled=st.randoms(use_true_random=False))
def test_the_test_split_does_not_depend_on_the_order(
    data: tuple[list[int], list[bytes]], seed: int, shuffled: random.Random
) -> None:
    labels, groups = data
    order = list(range(len(labels)))
    shuffled.shuffle(order)
    test = held_out_for_test(np.array(labels), groups, 0.3, seed)
    moved = held_out_for_test(np.array(labels)[order], [groups[row] for row in order], 0.3, seed)
    assert moved.tolist() == test[order].tolist()


def test_large_groups_are_not_preferred_for_test_either() -> None:
    labels = np.repeat([0, 1], 300)
    test = held_out_for_test(labels, [key(row // 3) for row in range(600)], 0.15, seed=0)
    assert abs(int(test.sum()) - 90) <= 4


def test_another_seed_gives_another_test_split() -> None:
    labels = np.repeat([0, 1], 50)
    groups = [key(row) for row in range(100)]
    first, again, other = (held_out_for_test(labels, groups, 0.15, seed).tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other
