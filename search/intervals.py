"""Intervals of scores that were measured on a sample of images, in plain NumPy.

Notation: C classes, n images, K pairs of a true and a predicted class that occur, b resamples at a time.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.contract.confusion import Matrix

_Z95 = 1.959964
_RESAMPLES = 2000
#: Of the counts that are resampled at a time.
_MOST_NUMBERS = 4_000_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A 95% confidence interval of a fraction."""

    low: float
    high: float


def wilson(hits: int, trials: int) -> Interval:
    """The interval of the fraction of ``hits`` in ``trials``. Wilson: Probable inference, JASA 1927."""
    if trials == 0:
        return Interval(low=0.0, high=1.0)
    fraction, z2 = hits / trials, _Z95**2
    middle = (fraction + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z95 * math.sqrt(fraction * (1 - fraction) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half))


@dataclass(frozen=True, kw_only=True)
class F1Intervals:
    """Of the macro F1, and of each class's F1 in the order of the confusion matrix."""

    macro: Interval
    per_class: tuple[Interval, ...]


def f1_intervals(confusion: Matrix) -> F1Intervals:
    """Percentile bootstrap over the images: each resample draws n images anew from the cells of the matrix.

    Efron, Tibshirani: An Introduction to the Bootstrap, 1993, chapter 13. It tells what another sample of as many
    images would have shown, not what another training would.
    """
    matrix = np.asarray(confusion, dtype=np.int64)
    true, predicted = np.nonzero(matrix)
    resampled = list(_resampled(true, predicted, matrix[true, predicted], len(matrix)))
    per_class, macro = (np.concatenate(parts) for parts in zip(*resampled, strict=True))
    return F1Intervals(macro=_percentiles(macro), per_class=tuple(_percentiles(scores) for scores in per_class.T))


def f1_interval(true: Ints, predicted: Ints, classes: int) -> Interval:
    """Of the macro F1 of any number of classes, from each image's true and predicted class, both [n]."""
    pairs, images = np.unique(true * classes + predicted, return_counts=True)
    resampled = _resampled(pairs // classes, pairs % classes, images, classes)
    return _percentiles(np.concatenate([macro for _, macro in resampled]))


def _resampled(true: Ints, predicted: Ints, images: Ints, classes: int) -> Iterator[tuple[Floats, Floats]]:
    """F1 by class [b, C] and macro F1 [b] of resamples; the pairs that occur are [K] each."""
    rng, fractions = np.random.default_rng(0), images / images.sum()
    block = max(1, _MOST_NUMBERS // (len(images) + classes))
    on_diagonal = true == predicted
    for start in range(0, _RESAMPLES, block):
        drawn = rng.multinomial(images.sum(), fractions, size=min(block, _RESAMPLES - start))
        hits = _sums_by_class(drawn[:, on_diagonal], true[on_diagonal], classes)
        yield f1_scores(hits, _sums_by_class(drawn, true, classes) + _sums_by_class(drawn, predicted, classes))


def _sums_by_class(drawn: Ints, labels: Ints, classes: int) -> Ints:
    """The sums [b, C] of the columns of ``drawn``, [b, K], by their labels, [K]."""
    sums = np.zeros((len(drawn), classes), dtype=np.int64)
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    if len(present):
        sums[:, present] = np.add.reduceat(drawn[:, order], starts, axis=1)
    return sums


def f1_scores(hits: Ints, counted: Ints) -> tuple[Floats, Floats]:
    """F1 by class [..., C], and macro F1 [...], the mean over classes that occur.

    ``hits`` counts the images of each class that were predicted as it, ``counted`` its images and the predictions of
    it; both [..., C].
    """
    per_class = 2 * hits / np.maximum(counted, 1)
    present = counted > 0
    return per_class, (per_class * present).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)


def _percentiles(values: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(low=float(low), high=float(high))
