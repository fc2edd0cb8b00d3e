"""Intervals of scores that were measured on a sample of images, in plain NumPy.

Notation: C classes, n images, B resamples. ``confusion`` is int [C, C], rows the true class, columns the predicted one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959964
_RESAMPLES = 2000


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


def f1_intervals(confusion: Sequence[Sequence[int]], *, seed: int = 0) -> F1Intervals:
    """Percentile bootstrap over the images: each resample draws n images anew from the cells of the matrix.

    Efron, Tibshirani: An Introduction to the Bootstrap, 1993, chapter 13. It tells what another sample of as many
    images would have shown, not what another training would.
    """
    matrix = np.asarray(confusion, dtype=np.int64)
    drawn = np.random.default_rng(seed).multinomial(matrix.sum(), (matrix / matrix.sum()).ravel(), size=_RESAMPLES)
    per_class, macro = f1_scores(drawn.reshape(_RESAMPLES, *matrix.shape))
    return F1Intervals(
        macro=_percentiles(macro), per_class=tuple(_percentiles(scores) for scores in np.moveaxis(per_class, -1, 0))
    )


def f1_scores(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """F1 by class [..., C], and macro F1 [...]: the mean over classes that occur, of matrices [..., C, C]."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    counted = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    per_class = 2 * hits / np.maximum(counted, 1)
    present = counted > 0
    return per_class, (per_class * present).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)


def _percentiles(values: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(low=float(low), high=float(high))
