"""Fronts of several objectives, their hypervolume, and the most spread points of a front, in plain NumPy.

Notation: n points, m objectives. ``losses`` is float [n, m], every objective to be minimized.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.contract.metrics import Goal, Metrics, Objective

Losses = NDArray[np.float64]


def losses_of(objectives: Sequence[Objective], rows: Sequence[Metrics]) -> Losses:
    """The objectives of each row as losses [n, m]: what is maximized is negated. KeyError where a metric is missing."""
    signs = [-1.0 if objective.goal is Goal.MAXIMIZE else 1.0 for objective in objectives]
    values = [[row[objective.metric] for objective in objectives] for row in rows]
    return np.asarray(values, dtype=np.float64).reshape(len(rows), len(objectives)) * signs


def front(losses: Losses) -> NDArray[np.intp]:
    """Indices, ascending, of the points that no other point dominates; of equal points the first."""
    ordered, first = np.unique(losses, axis=0, return_index=True)
    rest, kept = np.arange(len(ordered)), []
    while len(rest):
        # In this order a point is dominated by earlier ones only: the first of the rest is on the front.
        kept.append(rest[0])
        rest = rest[(ordered[rest] < ordered[rest[0]]).any(axis=1)]
    return np.sort(first[np.asarray(kept, dtype=np.intp)])


def hypervolume(losses: Losses, reference: NDArray[np.float64]) -> float:
    """Volume dominated by the points and bounded by ``reference`` [m]; exact.

    While, Bradstreet, Barone: A Fast Way of Calculating Exact Hypervolumes (WFG), IEEE TEVC 2012. Exponential in m:
    meant for fronts of up to some hundred points and 5 objectives.
    """
    inside = losses[(losses < reference).all(axis=1)]
    if not len(inside):
        return 0.0
    inside = inside[front(inside)]
    return _wfg(inside[np.argsort(inside[:, 0])[::-1]], reference)


def _wfg(points: Losses, reference: NDArray[np.float64]) -> float:
    if points.shape[1] == 2:
        return _area(points, reference)
    return sum(_exclusive(points, index, reference) for index in range(len(points)))


def _area(points: Losses, reference: NDArray[np.float64]) -> float:
    ordered = points[np.argsort(points[:, 0])]
    heights = np.diff(np.concatenate(([reference[1]], np.minimum.accumulate(ordered[:, 1]))))
    return float(np.sum((reference[0] - ordered[:, 0]) * -heights))


def _exclusive(points: Losses, index: int, reference: NDArray[np.float64]) -> float:
    own = float(np.prod(reference - points[index]))
    rest = points[index + 1 :]
    if not len(rest):
        return own
    limited = np.maximum(rest, points[index])
    return own - _wfg(limited[front(limited)], reference)


def reference_point(losses: Losses) -> NDArray[np.float64]:
    """A point just beyond the worst of every objective [m]: 10% of the range, so that the extremes count too."""
    worst, best = losses.max(axis=0), losses.min(axis=0)
    span = np.where(worst > best, worst - best, np.maximum(np.abs(worst), 1.0))
    return np.asarray(worst + 0.1 * span)


def spread(losses: Losses, count: int) -> list[int]:
    """Indices of up to ``count`` points that lie far apart: the best of each objective first, then the farthest.

    Farthest-point selection (Gonzalez 1985) on losses scaled to [0, 1].
    """
    if not len(losses) or count < 1:
        return []
    low, high = losses.min(axis=0), losses.max(axis=0)
    scaled = (losses - low) / np.where(high > low, high - low, 1.0)
    chosen = list(dict.fromkeys(int(index) for index in scaled.argmin(axis=0)))[:count]
    while len(chosen) < min(count, len(losses)):
        distance = np.linalg.norm(scaled[:, None] - scaled[chosen], axis=2).min(axis=1)
        distance[chosen] = -1.0
        chosen.append(int(distance.argmax()))
    return chosen
