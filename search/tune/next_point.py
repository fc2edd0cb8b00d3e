"""Which waiting point of a study's queue the minutes that are left allow to run next.

How long a point takes is not known before it ran. What is expected grows with its work: its multiply-accumulates by
its epochs.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: A point waits while it is expected to take more than this fraction of the seconds that are left.
_MOST_OF_TIME = 0.5
#: Before a trial has finished, a point waits that is more than so many times the least work of those that wait or run.
_MOST_BEFORE_A_PACE = 2.0
_MIN_SECONDS = 1e-3


class FinishedTrial(NamedTuple):
    """The work of a trial that ran to its end, and how long it took."""

    work: float
    seconds: float


def next_point(
    waiting: Mapping[str, float],
    *,
    running: Sequence[float],
    finished: Sequence[FinishedTrial],
    seconds_left: float | None,
) -> str | None:
    """The first of the ``waiting`` points that leaves enough of the minutes; None if none of them does.

    ``waiting`` has the work of each point by its id in the queue, ``running`` that of the trials that run. The finished
    trial of the most work sets the pace. Without a limit of minutes (``seconds_left`` is None) nothing waits.
    """
    if seconds_left is None:
        return next(iter(waiting), None)
    if finished:
        costliest = max(finished)
        most = costliest.work * _MOST_OF_TIME * seconds_left / max(costliest.seconds, _MIN_SECONDS)
    else:
        most = _MOST_BEFORE_A_PACE * min([*waiting.values(), *running], default=0.0)
    return next((queue_id for queue_id, work in waiting.items() if work <= most), None)
