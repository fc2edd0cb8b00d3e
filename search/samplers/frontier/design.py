"""The first trials of a study, before anything is learned: spread by what they cost, then by how they look.

Points that are least like any other are the extremes of the space, and the dearest of these take most of the time. So
the first trials stand at evenly spread ranks of cost among points by chance, and cost what points by chance do.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.samplers.frontier.encoding import Encoder, Scale
from search.samplers.frontier.evidence import Known

Floats = NDArray[np.float64]
#: The share of the points among which the one is taken that is least like the trials so far.
_NEAR = 0.1


def next_first(
    past: Sequence[Known], pool: Sequence[Known], signs: Floats, encoder: Encoder, *, time_is_short: bool
) -> Known:
    """The point of ``pool``, in which points stand in the order of chance, to try after ``past``; where time is short,
    more of those that take little of it.
    """
    share = _van_der_corput(len(past) + 1)
    chosen = _around(share**2, _efforts(pool, signs)) if time_is_short else _around(share, _costs(pool, signs))
    near = [pool[int(index)] for index in chosen]
    matrix = encoder.matrix([known.row for known in [*past, *near]])
    features = Scale(matrix)(matrix)
    here, there = features[: len(past)], features[len(past) :]
    if not len(here):
        return near[len(near) // 2]
    distance = ((there[:, None] - here[None]) ** 2).sum(axis=2).min(axis=1)
    return near[int(distance.argmax())]


def _around(share: float, effort: Floats) -> NDArray[np.intp]:
    """The points around that share of the way from the least to the greatest ``effort`` [n]."""
    count = max(round(_NEAR * len(effort)), 1)
    start = min(max(round(share * len(effort) - count / 2), 0), len(effort) - count)
    return effort.argsort(kind="stable")[start : start + count]


def _efforts(pool: Sequence[Known], signs: Floats) -> Floats:
    """What running each point may take, as far as that is known; else what it costs."""
    efforts = [known.point.known.effort for known in pool]
    return _costs(pool, signs) if None in efforts else np.asarray(efforts)


def _costs(pool: Sequence[Known], signs: Floats) -> Floats:
    """The mean rank of each point's exact objectives [n]; all alike where there are none."""
    exact = [index for index in range(len(signs)) if all(index in known.point.known.objectives for known in pool)]
    if not exact:
        return np.zeros(len(pool))
    losses = np.asarray([[known.point.known.objectives[index] for index in exact] for known in pool]) * signs[exact]
    return np.asarray(losses.argsort(axis=0, kind="stable").argsort(axis=0).mean(axis=1))


def _van_der_corput(number: int) -> float:
    """1/2, 1/4, 3/4, 1/8, 5/8 and so on for 1, 2, 3, 4, 5 (van der Corput 1935)."""
    share, part = 0.0, 1.0
    while number:
        part /= 2
        number, bit = divmod(number, 2)
        share += bit * part
    return share
