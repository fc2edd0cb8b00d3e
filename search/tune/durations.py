"""How long trials are expected to take, and which waiting point of a study's queue its minutes allow next.

The seconds of an epoch grow with the multiply-accumulates of the network, from a constant that every epoch takes.
Both are fitted to the epochs of the trials so far.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

#: A point waits while its training is expected to take more than this fraction of the seconds that are left. A
#: yardstick is no candidate for the front: it leaves time for those that are.
_MOST_OF_TIME = 0.9
_MOST_OF_TIME_FOR_A_YARDSTICK = 0.5


@dataclass(frozen=True, kw_only=True)
class Training:
    """A trial's training that may be run: the multiply-accumulates of its network, and its epochs."""

    macs: float
    epochs: int

    @property
    def work(self) -> float:
        return self.macs * self.epochs


class Durations:
    """The epochs of a study's trials so far."""

    def __init__(self) -> None:
        self._macs: dict[Hashable, float] = {}
        self._epochs: dict[Hashable, int] = {}
        self._seconds: dict[Hashable, float] = {}

    def note(self, trial: Hashable, training: Training, seconds: float) -> None:
        """Add ``training.epochs`` epochs of a trial, which took ``seconds`` together."""
        self._macs[trial] = training.macs
        self._epochs[trial] = self._epochs.get(trial, 0) + training.epochs
        self._seconds[trial] = self._seconds.get(trial, 0.0) + seconds

    def expected_s(self, training: Training) -> float | None:
        """Seconds of training steps; None before the first epoch of any trial.

        After epochs of one network only, they are proportional to the multiply-accumulates.
        """
        if not self._macs:
            return None
        macs = np.fromiter(self._macs.values(), float)
        epoch_s = np.fromiter(self._seconds.values(), float) / np.fromiter(self._epochs.values(), float)
        constant_s, slope_s = _fit(macs, epoch_s)
        return training.epochs * (constant_s + slope_s * training.macs)

    def ends_in_time(self, training: Training, *, seconds_left: float | None) -> bool:
        """Whether a training is expected to end in time. True while epochs of one network only were seen."""
        if seconds_left is None or len(set(self._macs.values())) < 2:
            return True
        expected_s = self.expected_s(training)
        return expected_s is None or expected_s <= seconds_left


@dataclass(frozen=True, kw_only=True)
class WaitingPoint:
    """A point of the queue."""

    training: Training
    is_yardstick: bool = False

    @property
    def most_of_time(self) -> float:
        return _MOST_OF_TIME_FOR_A_YARDSTICK if self.is_yardstick else _MOST_OF_TIME


def next_point(waiting: Mapping[str, WaitingPoint], durations: Durations, *, seconds_left: float | None) -> str | None:
    """The id in the queue of the first point that leaves enough of the minutes; None if none of them does.

    Before the first epoch of any trial, the point of the least work is next, and no yardstick. Without a limit of
    minutes (``seconds_left`` is None) nothing waits.
    """
    if seconds_left is None:
        return next(iter(waiting), None)
    work = {queue_id: point.training.work for queue_id, point in waiting.items() if not point.is_yardstick}
    for queue_id, point in waiting.items():
        expected_s = durations.expected_s(point.training)
        if expected_s is None:
            return min(work, key=work.__getitem__, default=None)
        if expected_s <= point.most_of_time * seconds_left:
            return queue_id
    return None


def _fit(macs: NDArray[np.float64], epoch_s: NDArray[np.float64]) -> tuple[float, float]:
    """Constant and slope of the least squares, neither below 0; no constant for one network only."""
    scale = max(float(macs.max()), 1.0)
    is_one = np.ptp(macs) == 0
    constant_s, slope_s = nnls(np.stack([np.full_like(macs, not is_one), macs / scale], axis=1), epoch_s)[0]
    return float(constant_s), float(slope_s) / scale
