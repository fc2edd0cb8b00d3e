"""Intervals of scores: they hold the score, get narrower with more images, and cover what they claim to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from search.intervals import f1_interval, f1_intervals, f1_scores, wilson

_LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def _matrix(pairs: list[tuple[int, int]]) -> np.ndarray:
    matrix = np.zeros((4, 4), np.int64)
    for true, predicted in pairs:
        matrix[true, predicted] += 1
    return matrix


def _macro_f1(matrix: np.ndarray) -> float:
    _, macro = f1_scores(np.diagonal(matrix), matrix.sum(axis=0) + matrix.sum(axis=1))
    return float(macro)


@given(_LABELS)
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    true, predicted = zip(*pairs, strict=True)
    assert _macro_f1(_matrix(pairs)) == pytest.approx(f1_score(true, predicted, average="macro"))


def test_an_interval_holds_the_score_and_narrows_with_more_images() -> None:
    few = np.array([[8, 2], [3, 7]])
    many = few * 50
    macro = _macro_f1(few)
    wide, narrow = f1_intervals(few.tolist()).macro, f1_intervals(many.tolist()).macro
    assert wide.low < narrow.low < macro < narrow.high < wide.high
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(50**0.5, rel=0.15)


def test_the_interval_from_predictions_is_that_from_their_matrix() -> None:
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    matrix = _matrix(list(zip(true, predicted, strict=True))).tolist()
    assert f1_interval(true, predicted, 4) == f1_intervals(matrix).macro


def test_the_interval_of_ten_thousand_classes_takes_seconds_and_little_memory() -> None:
    true = np.repeat(np.arange(10_000), 2)
    predicted = np.where(np.arange(len(true)) % 4, true, (true + 1) % 10_000)
    interval = f1_interval(true, predicted, 10_000)
    assert 0.6 < interval.low < interval.high < 0.9


def test_wilson_covers_the_true_share_about_as_often_as_it_says() -> None:
    hits = np.random.default_rng(0).binomial(50, 0.9, size=2000)
    found = [wilson(int(count), 50) for count in hits]
    assert 0.93 <= np.mean([interval.low <= 0.9 <= interval.high for interval in found]) <= 0.98


@pytest.mark.parametrize(("hits", "bound"), [(0, "low"), (20, "high")])
def test_wilson_stays_within_0_and_1_and_is_wide_at_the_ends(hits: int, bound: str) -> None:
    interval = wilson(hits, 20)
    assert 0 <= interval.low < interval.high <= 1
    assert getattr(interval, bound) == pytest.approx(hits / 20, abs=1e-12)
    assert interval.high - interval.low > 0.1
