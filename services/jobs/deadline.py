"""How long a running trial may report nothing before it counts as hung, from what the trials of its study took.

A report comes after each epoch. A trial's first one includes what precedes its training, its last one the wait for its
latency.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

#: The driver may be stopped or busy itself: of a longer gap between two looks at the clock only so much counts.
_MOST_PER_LOOK_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """A trial may take ``factor`` times as long between two reports as its study lets expect, and at least ``least_s``.

    ``unknown_s`` is for as long as no trial of the study has reported anything.
    """

    factor: float = 10.0
    least_s: float = 3600.0
    unknown_s: float = 6 * 3600.0


@dataclass
class _Running:
    since_s: float
    macs: float


class Deadlines:
    """The trials of one study that run, by the record's id, each with the time since its last report.

    ``longest`` is the seconds of the longest epoch that earlier drivers recorded, and the most multiply-accumulates of
    a trial that reported one. ``now_s`` is a monotonic clock.
    """

    def __init__(
        self,
        patience: Patience,
        longest: tuple[float, float] | None,
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience, self._now_s = patience, now_s
        self._longest_s, self._most_macs = longest or (0.0, 0.0)
        self._running: dict[str, _Running] = {}
        self._looked_s, self._clock_s = now_s(), 0.0

    def started(self, trial_id: str, *, macs: float) -> None:
        """Note that a trial runs now; ``macs`` are its network's, 0 where they are not known."""
        self._running[trial_id] = _Running(since_s=self._clock_s, macs=macs)

    def reported(self, trial_id: str) -> None:
        """Note that a trial has reported an epoch."""
        running = self._running.get(trial_id)
        if running is None:
            return
        self._longest_s = max(self._longest_s, self._clock_s - running.since_s)
        self._most_macs = max(self._most_macs, running.macs)
        running.since_s = self._clock_s

    def ended(self, trial_id: str) -> None:
        """Note that a trial runs no more."""
        self._running.pop(trial_id, None)

    def allowed_s(self, macs: float) -> float:
        """How long a network of so many multiply-accumulates may report nothing.

        One that is larger than all that reported is expected to take longer in proportion.
        """
        if not self._longest_s:
            return self._patience.unknown_s
        scale = max(1.0, macs / self._most_macs) if self._most_macs else 1.0
        return max(self._patience.factor * scale * self._longest_s, self._patience.least_s)

    def overdue(self) -> dict[str, str]:
        """Why each trial that has reported nothing for too long counts as hung, by its id."""
        now_s = self._now_s()
        self._clock_s += min(now_s - self._looked_s, _MOST_PER_LOOK_S)
        self._looked_s = now_s
        late = {}
        for trial_id, running in self._running.items():
            silent_s = self._clock_s - running.since_s
            if silent_s > self.allowed_s(running.macs):
                late[trial_id] = self._reason(silent_s)
        return late

    def _reason(self, silent_s: float) -> str:
        usual = f"reports took {_span(self._longest_s)} at most" if self._longest_s else "no trial has reported yet"
        return f"it hung: it reported nothing for {_span(silent_s)} and was ended; in this study {usual}"


def _span(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
