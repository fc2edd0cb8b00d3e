"""Which waiting point of a study's queue the minutes that are left allow to run next.

How long a point takes is not known before it ran. What is expected grows with its work: its multiply-accumulates by
its epochs.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

#: A point waits while its training is expected to take more than this fraction of the seconds that are left. A
#: yardstick is no candidate for the front: it leaves time for those that are.
_MOST_OF_TIME = 0.9
_MOST_OF_TIME_FOR_A_YARDSTICK = 0.5


class WaitingPoint(NamedTuple):
    """A point of the queue, by its work."""

    work: float
    is_yardstick: bool = False

    @property
    def most_of_time(self) -> float:
        return _MOST_OF_TIME_FOR_A_YARDSTICK if self.is_yardstick else _MOST_OF_TIME


class TrainedWork(NamedTuple):
    """Work that a trial has done so far, and the seconds that it took."""

    work: float
    seconds: float


def next_point(
    waiting: Mapping[str, WaitingPoint], *, trained: Collection[TrainedWork], seconds_left: float | None
) -> str | None:
    """The id in the queue of the first point that leaves enough of the minutes; None if none of them does.

    The trial that has done the most work sets the pace. Before the first epoch of any trial, the point of the least
    work is next, and no yardstick. Without a limit of minutes (``seconds_left`` is None) nothing waits.
    """
    if seconds_left is None:
        return next(iter(waiting), None)
    if not trained:
        candidates = {queue_id: point.work for queue_id, point in waiting.items() if not point.is_yardstick}
        return min(candidates, key=candidates.__getitem__, default=None)
    work, seconds = max(trained)
    return next(
        (
            queue_id
            for queue_id, point in waiting.items()
            if point.work * seconds <= work * point.most_of_time * seconds_left
        ),
        None,
    )
