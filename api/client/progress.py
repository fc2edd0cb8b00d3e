"""A study's progress from its events: counts, rate, remaining time, best and fastest trial; no output."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.client.events import StudyEvent
from api.tabular import formats
from search.contract.states import ANSWERED_TRIAL_STATES, JobState, StudyState, TrialState
from search.study.spec import StudySpec

_RATE_OVER_TRIALS = 10
_ENDED_JOBS = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A progress bar: ``counted`` is the count as text, ``note`` a remark."""

    name: str
    done: float
    total: float
    counted: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A completed trial."""

    number: int
    f1: float
    latency_ms: float

    def __str__(self) -> str:
        return f"f1 {self.f1:.3f} in {formats.milliseconds(self.latency_ms)} ms (trial {self.number})"


class StudyProgress:
    """The progress of a study; ``apply`` its events from the first on."""

    def __init__(self, spec: StudySpec) -> None:
        self.total, self._epochs = spec.budget.max_trials, spec.most_epochs
        self.state = StudyState.QUEUED
        self.finished = self.ruled_out = 0
        self.best: Mark | None = None
        self.fastest: Mark | None = None
        self._numbers: dict[str, int] = {}
        self._running: dict[str, int] = {}
        self._jobs: dict[str, JobState] = {}
        self._ends: deque[datetime] = deque(maxlen=_RATE_OVER_TRIALS + 1)

    def apply(self, event: StudyEvent) -> str | None:
        """Apply an event; returns a line about it if it deserves one."""
        match event.kind:
            case "study":
                return self._study(event)
            case "trial":
                return self._trial(event)
            case "epoch" if event.trial_id in self._running:
                self._running[event.trial_id] = event.payload["epoch"]
            case "budget":
                self.total = event.payload["max_trials"]
            case "compression":
                return self._compression(event)
            case "test_scoring" if event.payload["state"] in _ENDED_JOBS:
                return _with_reason(f"scoring on the test split {event.payload['state']}", event, width=200)
        return None

    @property
    def trials_done(self) -> float:
        """Finished trials, plus the finished fraction of running ones."""
        return self.finished + sum(epoch / self._epochs for epoch in self._running.values())

    @property
    def jobs_done(self) -> int:
        return sum(state in _ENDED_JOBS for state in self._jobs.values())

    @property
    def jobs_total(self) -> int:
        return len(self._jobs)

    @property
    def trials_per_minute(self) -> float | None:
        """The rate over the latest trials since the study was last paused; None before the second."""
        if len(self._ends) < 2:
            return None
        elapsed_s = (self._ends[-1] - self._ends[0]).total_seconds()
        return 60 * (len(self._ends) - 1) / elapsed_s if elapsed_s > 0 else None

    @property
    def remaining_s(self) -> float | None:
        """Remaining time of the search at the present rate; None if unknown."""
        rate = self.trials_per_minute
        return None if rate is None else 60 * max(self.total - self.finished, 0) / rate

    def bars(self) -> list[Bar]:
        """A bar for the search and, once there are jobs, one for the compression."""
        counted = f"{self.finished}/{self.total} trials"
        search = Bar(name="search", done=self.trials_done, total=self.total, counted=counted, note=self.pace())
        if not self.jobs_total:
            return [search]
        counted = f"{self.jobs_done}/{self.jobs_total} jobs"
        return [search, Bar(name="compression", done=self.jobs_done, total=self.jobs_total, counted=counted)]

    def standing(self) -> str:
        """State, best trial and fastest trial."""
        parts = (str(self.state), self.best and f"best {self.best}", self.fastest and f"fastest {self.fastest}")
        return "; ".join(part for part in parts if part)

    def pace(self) -> str:
        """Rate and remaining time; empty if unknown."""
        if self.trials_per_minute is None or self.remaining_s is None:
            return ""
        return f"{self.trials_per_minute:.1f} trials/min, {formats.clock(self.remaining_s)} left"

    def _study(self, event: StudyEvent) -> str:
        self.state = StudyState(event.payload["state"])
        if self.state is not StudyState.RUNNING:
            self._ends.clear()
        return _with_reason(f"study {self.state}", event, width=200)

    def _trial(self, event: StudyEvent) -> str | None:
        state, number = TrialState(event.payload["state"]), event.payload["number"]
        assert event.trial_id is not None
        if state is TrialState.RUNNING:
            self._numbers[event.trial_id] = number
            self._running[event.trial_id] = 0
            if not self._ends:
                self._ends.append(event.at)
            return None
        self._running.pop(event.trial_id, None)
        if state is TrialState.INFEASIBLE and event.payload["host"] is None:
            self.ruled_out += 1
            return None
        if state in ANSWERED_TRIAL_STATES:
            self.finished += 1
            self._ends.append(event.at)
        line = _with_reason(f"[{self.finished}/{self.total}] trial {number} {state}", event, width=100)
        if state is TrialState.COMPLETED:
            line += f": {self._completed(number, event.payload['metrics'])}"
        best = "" if self.best is None else f"best f1 {self.best.f1:.3f}"
        ruled_out = f"{self.ruled_out} ruled out by the limits" if self.ruled_out else ""
        return "; ".join(filter(None, (line, self.pace(), best, ruled_out)))

    def _completed(self, number: int, metrics: Mapping[str, float]) -> str:
        mark = Mark(number=number, f1=metrics["f1"], latency_ms=metrics["latency_ms"])
        if self.best is None or mark.f1 > self.best.f1:
            self.best = mark
        if self.fastest is None or mark.latency_ms < self.fastest.latency_ms:
            self.fastest = mark
        return f"f1 {mark.f1:.3f} in {formats.milliseconds(mark.latency_ms)} ms"

    def _compression(self, event: StudyEvent) -> str | None:
        state, recipe = JobState(event.payload["state"]), event.payload["recipe"]
        self._jobs[event.payload["job_id"]] = state
        if state not in _ENDED_JOBS:
            return None
        number = self._numbers.get(event.trial_id or "", "?")
        counted = f"[{self.jobs_done}/{self.jobs_total}] {recipe} of trial {number} {state}"
        return _with_reason(counted, event, width=100)


def _with_reason(line: str, event: StudyEvent, *, width: int) -> str:
    reason = formats.brief(event.payload.get("reason"), width)
    return f"{line}: {reason}" if reason else line
