"""A bootstrap interval of the median, where the runs of one session are alike and sessions differ.

Notation: R rounds (a fresh session each), n runs a round, B resamples.
"""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

_CONFIDENCE = 0.95
_RESAMPLES = 1000


def median(values: npt.NDArray[np.float64]) -> float:
    """The lower median: a value that occurred, like every end of ``median_interval``."""
    return float(np.quantile(values, 0.5, method="inverted_cdf"))


def median_interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """95% interval of the median of ``values``, shape (R, n), by resampling whole rounds.

    Rounds, not runs, are drawn: the runs of a session share its memory layout, so that R counts, and not R * n. Few
    rounds make percentiles too narrow; they are expanded as in Hesterberg, https://arxiv.org/abs/1411.5279, 4.1.
    One round gives an interval without width.
    """
    rounds = len(values)
    if rounds == 1:
        return median(values), median(values)
    tail = _expanded_tail(rounds)
    low, high = np.quantile(_resampled_medians(values), (tail, 1 - tail), method="inverted_cdf")
    return float(low), float(high)


def relative_half_width(values: npt.NDArray[np.float64]) -> float:
    """Half the width of ``median_interval``, as a fraction of the median."""
    low, high = median_interval(values)
    return (high - low) / 2 / median(values)


def _resampled_medians(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Lower medians of B resamples, shape (B,): the first value at which half of a resample's weight is reached."""
    rounds, runs = values.shape
    order = values.argsort(axis=None)
    weights = np.random.default_rng(0).multinomial(rounds, np.full(rounds, 1 / rounds), size=_RESAMPLES)
    reached = weights.astype(np.int32)[:, order // runs].cumsum(axis=1)
    medians: npt.NDArray[np.float64] = values.ravel()[order][(2 * reached >= rounds * runs).argmax(axis=1)]
    return medians


def _expanded_tail(rounds: int) -> float:
    """The tail's probability for Student's t with R - 1 degrees of freedom and the bias of the bootstrap's variance."""
    z = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
    freedom = rounds - 1
    t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return NormalDist().cdf(-t * (rounds / freedom) ** 0.5)
