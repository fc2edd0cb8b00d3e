"""The initial design: the first trials of a study, before there is a surrogate.

A space-filling design starts with the extremes of the space, and the most expensive of these take most of the time. So
the first trials lie at evenly spread ranks of cost among random points, and cost as much as random points on average.
Where a space has several families, they take turns, each with ranks of its own.

Notation: n points of the pool, m objectives.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from search.samplers.frontier.arrays import Floats, Indices
from search.samplers.frontier.encoding import EncodedPoint, Encoder, Standardizer

#: Trials of the initial design, and the least number of them of each family.
_TRIALS, _TRIALS_OF_FAMILY = 8, 2
#: The fraction of the pool near a rank of cost from which the point is taken that is most unlike the trials so far.
_NEAR = 0.1


def is_initial(past: Sequence[EncodedPoint], pool: Sequence[EncodedPoint], *, finished: int) -> bool:
    """Whether the next trial is still one of the initial design: too few of the ``past`` have ``finished``, or a family
    of the ``pool`` was hardly tried.
    """
    tried = Counter(point.point.family for point in past)
    return finished < _TRIALS or any(tried[point.point.family] < _TRIALS_OF_FAMILY for point in pool)


def next_initial_point(
    past: Sequence[EncodedPoint],
    pool: Sequence[EncodedPoint],
    signs: Floats,
    encoder: Encoder,
    *,
    time_is_short: bool,
) -> EncodedPoint:
    """The point of the random ``pool`` to try after ``past``; while time is short, more often one that runs quickly."""
    past, pool = _of_the_least_tried_family(past, pool)
    rank = _van_der_corput(len(past) + 1)
    chosen = _near_rank(rank**2, _efforts(pool, signs)) if time_is_short else _near_rank(rank, _costs(pool, signs))
    near = [pool[int(index)] for index in chosen]
    matrix = encoder.matrix([point.row for point in [*past, *near]])
    features = Standardizer(matrix)(matrix)
    past_features, near_features = features[: len(past)], features[len(past) :]
    if not len(past_features):
        return near[len(near) // 2]
    distance = ((near_features[:, None] - past_features[None]) ** 2).sum(axis=2).min(axis=1)
    return near[int(distance.argmax())]


def _of_the_least_tried_family(
    past: Sequence[EncodedPoint], pool: Sequence[EncodedPoint]
) -> tuple[Sequence[EncodedPoint], Sequence[EncodedPoint]]:
    """The points of ``past`` and of ``pool`` that belong to the family with the fewest trials so far."""
    tried = Counter(point.point.family for point in past)
    families = sorted({point.point.family for point in pool}, key=str)
    least = min(families, key=lambda family: tried[family])
    return [point for point in past if point.point.family == least], [
        point for point in pool if point.point.family == least
    ]


def _near_rank(rank: float, effort: Floats) -> Indices:
    """Indices of the points whose ``effort`` [n] is nearest to a rank between 0, the least, and 1, the greatest."""
    count = max(round(_NEAR * len(effort)), 1)
    start = min(max(round(rank * len(effort) - count / 2), 0), len(effort) - count)
    return effort.argsort(kind="stable")[start : start + count]


def _efforts(pool: Sequence[EncodedPoint], signs: Floats) -> Floats:
    """The effort [n] of running each point; its costs where a description lacks the effort."""
    efforts = _known_efforts(pool)
    return _costs(pool, signs) if efforts is None else efforts


def _costs(pool: Sequence[EncodedPoint], signs: Floats) -> Floats:
    """The mean rank of each point's exact objectives [n]; without any, its effort, or zeros where that is not known."""
    exact = [index for index in range(len(signs)) if all(index in point.description.objectives for point in pool)]
    if not exact:
        efforts = _known_efforts(pool)
        return np.zeros(len(pool)) if efforts is None else efforts
    losses = np.asarray([[point.description.objectives[index] for index in exact] for point in pool]) * signs[exact]
    return np.asarray(losses.argsort(axis=0, kind="stable").argsort(axis=0).mean(axis=1))


def _known_efforts(pool: Sequence[EncodedPoint]) -> Floats | None:
    """The effort [n] of running each point; None where a description lacks it."""
    efforts = [point.description.effort for point in pool]
    return None if None in efforts else np.asarray(efforts, dtype=np.float64)


def _van_der_corput(number: int) -> float:
    """1/2, 1/4, 3/4, 1/8, 5/8 and so on for 1, 2, 3, 4, 5 (van der Corput 1935)."""
    fraction, digit = 0.0, 1.0
    while number:
        digit /= 2
        number, bit = divmod(number, 2)
        fraction += bit * digit
    return fraction
