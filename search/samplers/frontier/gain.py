"""Expected gain of hypervolume, in closed form, where all objectives but one may be known exactly.

Notation: q candidates, k points of the front, u corners, m objectives, all to be minimized. One objective is the
``value`` that is learned; the others are ``costs``, float [., m - 1]. A corner is a place in the space of costs: what
the front reaches there is the best value among its points that cost no more in any respect. A candidate's gain is the
integral over all corners that it can afford of what it lies below that level. Its objectives being independent, the
expectation is a product at each corner: of the probabilities to afford it and of the expected improvement of the level
(Emmerich et al. 2011 and Daulton et al. 2020 compute the same number by boxes; where costs are exact the
probabilities are 0 or 1, and only the improvement is left to expect).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What is believed of q points in one objective: ``mean`` and ``deviation`` [q], which is 0 where it is exact."""

    mean: Floats
    deviation: Floats


def attained(corners: Floats, costs: Floats, values: Floats, reference: float) -> Floats:
    """The lowest value that points reach at each corner [u]: ``reference`` where they afford none."""
    levels, left = np.full(len(corners), reference), np.arange(len(corners))
    for index in values.argsort():
        if not len(left) or values[index] >= reference:
            break
        affordable = (costs[index] <= corners[left]).all(axis=1)
        levels[left[affordable]] = values[index]
        left = left[~affordable]
    return levels


def expected_gain(value: Guess, costs: list[Guess], corners: Floats, levels: Floats) -> Floats:
    """The expected gain of each candidate [q], as a share of the corners' volume times the value's unit."""
    distinct, which = np.unique(levels, return_inverse=True)
    affordable = np.ones((len(value.mean), len(corners)))
    for column, cost in enumerate(costs):
        affordable *= _below(cost, corners[:, column])
    # Corners of one level share the expected improvement: [q, u] shrinks to [q, levels].
    volume = np.zeros((len(value.mean), len(distinct)))
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(len(distinct)))
    np.add.reduceat(affordable[:, order], starts, axis=1, out=volume)
    improvement = expected_improvement(value.mean[:, None], value.deviation[:, None], distinct[None])
    return np.asarray((volume * improvement).sum(axis=1) / len(corners))


def expected_improvement(mean: Floats, deviation: Floats, level: Floats) -> Floats:
    """How far a normal value is expected to lie below ``level``; broadcasts."""
    spread = np.maximum(deviation, 1e-12)
    z = (level - mean) / spread
    return np.asarray(spread * (z * ndtr(z) + np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)))


def _below(cost: Guess, corner: Floats) -> Floats:
    """The probability [q, u] that a candidate's cost is at most the corner's."""
    exact = cost.deviation <= 0.0
    if exact.all():
        return np.asarray(cost.mean[:, None] <= corner[None], dtype=np.float64)
    spread = np.where(exact, 1e-300, cost.deviation)
    difference = corner[None] - cost.mean[:, None]
    return np.where(exact[:, None], difference >= 0.0, ndtr(difference / spread[:, None]))
