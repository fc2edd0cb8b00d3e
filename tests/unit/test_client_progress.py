"""What a stream of events amounts to."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from api.client.events import StudyEvent
from api.client.progress import StudyProgress
from search.study.spec import StudySpec

_START = datetime(2026, 1, 1, tzinfo=UTC)
_SPEC = StudySpec.model_validate(
    {"name": "a", "dataset": {"source": "sklearn"}, "budget": {"max_trials": 4, "epochs": 2}}
)


class _Story:
    """Events in order, each at a second of its own choice."""

    def __init__(self) -> None:
        self.progress = StudyProgress(_SPEC)
        self._ids = count(1)

    def tell(self, kind: str, at_s: float = 0, *, trial_id: str | None = None, **payload: Any) -> str | None:
        event = StudyEvent(
            id=next(self._ids), kind=kind, trial_id=trial_id, at=_START + timedelta(seconds=at_s), payload=payload
        )
        return self.progress.apply(event)

    def start(self, number: int, at_s: float) -> None:
        assert self.tell("trial", at_s, trial_id=f"trial_{number}", number=number, state="RUNNING") is None

    def complete(self, number: int, at_s: float, *, f1: float, latency_ms: float) -> str | None:
        metrics = {"f1": f1, "latency_ms": latency_ms}
        return self.tell(
            "trial", at_s, trial_id=f"trial_{number}", number=number, state="COMPLETED", reason=None, metrics=metrics
        )


def test_rate_and_remaining_time_follow_from_the_trials_that_ended() -> None:
    story = _Story()
    story.start(0, 0)
    assert story.progress.trials_per_minute is None
    story.complete(0, 10, f1=0.8, latency_ms=0.2)
    assert story.progress.trials_per_minute == pytest.approx(6)
    assert story.progress.remaining_s == pytest.approx(30)


def test_a_pause_does_not_slow_the_rate() -> None:
    story = _Story()
    story.start(0, 0)
    story.complete(0, 10, f1=0.8, latency_ms=0.2)
    story.tell("study", 11, state="PAUSED", reason=None)
    story.tell("study", 1000, state="RUNNING", reason=None)
    story.start(1, 1000)
    story.complete(1, 1010, f1=0.8, latency_ms=0.2)
    assert story.progress.trials_per_minute == pytest.approx(6)


def test_best_and_fastest_are_of_completed_trials() -> None:
    story = _Story()
    story.complete(0, 1, f1=0.8, latency_ms=0.2)
    story.complete(1, 2, f1=0.9, latency_ms=0.3)
    story.complete(2, 3, f1=0.7, latency_ms=0.1)
    assert story.progress.best is not None
    assert story.progress.fastest is not None
    assert (story.progress.best.number, story.progress.fastest.number) == (1, 2)


def test_epochs_of_running_trials_count_as_parts_of_trials() -> None:
    story = _Story()
    story.start(0, 0)
    story.tell("epoch", 1, trial_id="trial_0", epoch=1, loss=1.0, f1=0.5, accuracy=0.5, elapsed_s=1.0)
    assert story.progress.trials_done == 0.5
    story.complete(0, 2, f1=0.8, latency_ms=0.2)
    assert story.progress.trials_done == 1


def test_a_cancelled_trial_uses_no_budget() -> None:
    story = _Story()
    story.start(0, 0)
    line = story.tell("trial", 1, trial_id="trial_0", number=0, state="CANCELLED", reason="its driver was lost")
    assert line == "[0/4] trial 0 CANCELLED: its driver was lost"
    assert story.progress.trials_done == 0


def test_the_line_of_a_trial_says_how_it_ended_and_how_it_goes_on() -> None:
    story = _Story()
    story.start(0, 0)
    line = story.complete(0, 10, f1=0.8123, latency_ms=0.2)
    assert line == "[1/4] trial 0 COMPLETED: f1 0.812 in 0.200 ms; 6.0 trials/min, 0:30 left; best f1 0.812"
    line = story.tell("trial", 20, trial_id="trial_1", number=1, state="INFEASIBLE", reason="too slow", host="a-host")
    assert line == "[2/4] trial 1 INFEASIBLE: too slow; 6.0 trials/min, 0:20 left; best f1 0.812"


def test_what_a_limit_rules_out_before_training_is_counted_apart() -> None:
    story = _Story()
    for number in range(2):
        trial = {"number": number, "reason": "too many macs", "host": None}
        assert story.tell("trial", number, trial_id=f"trial_{number}", state="INFEASIBLE", **trial) is None
    story.start(2, 0)
    line = story.complete(2, 10, f1=0.8, latency_ms=0.2)
    assert line is not None
    assert line.endswith("best f1 0.800; 2 ruled out by the limits")
    assert story.progress.finished == 1


def test_a_raised_budget_is_the_new_total() -> None:
    story = _Story()
    story.tell("budget", max_trials=9, epochs=2)
    assert story.progress.total == 9


def test_compression_jobs_are_counted_by_their_last_state() -> None:
    story = _Story()
    for recipe in ("fp32", "static-int8"):
        story.tell("compression", trial_id="trial_0", job_id=recipe, recipe=recipe, state="QUEUED")
    story.tell("compression", trial_id="trial_0", job_id="fp32", recipe="fp32", state="RUNNING", reason=None)
    assert (story.progress.jobs_done, story.progress.jobs_total) == (0, 2)
    line = story.tell(
        "compression", trial_id="trial_0", job_id="fp32", recipe="fp32", state="FAILED", reason="Error: no"
    )
    assert line == "[1/2] fp32 of trial ? FAILED: Error: no"


def test_an_end_says_why() -> None:
    story = _Story()
    assert story.tell("study", state="FAILED", reason="dataset: empty") == "study FAILED: dataset: empty"
    assert story.progress.state == "FAILED"


def test_the_scoring_on_the_test_split_is_told_once_it_has_ended() -> None:
    story = _Story()
    assert story.tell("test_scoring", state="RUNNING", reason=None) is None
    assert story.tell("test_scoring", state="COMPLETED", reason=None) == "scoring on the test split COMPLETED"
    line = story.tell("test_scoring", state="FAILED", reason="its job was lost")
    assert line == "scoring on the test split FAILED: its job was lost"
