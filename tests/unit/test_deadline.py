"""When a trial that reports nothing counts as hung."""

from dataclasses import dataclass

from services.jobs.deadline import Deadlines, Patience

PATIENCE = Patience(factor=10.0, least_s=60.0, unknown_s=600.0)


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def advance(deadlines: Deadlines, clock: Clock, seconds: int) -> dict[str, str]:
    """What is overdue after so many looks, a second apart."""
    late: dict[str, str] = {}
    for _ in range(seconds):
        clock.seconds += 1
        late = deadlines.overdue()
    return late


def started(clock: Clock, longest: tuple[float, float] | None = None, *, macs: float = 100.0) -> Deadlines:
    deadlines = Deadlines(PATIENCE, longest, now_s=clock)
    deadlines.started("trial", macs=macs)
    return deadlines


def test_before_any_report_a_trial_may_take_long() -> None:
    clock = Clock()
    deadlines = started(clock)
    assert not advance(deadlines, clock, 600)
    assert "no trial has reported yet" in advance(deadlines, clock, 1)["trial"]


def test_a_trial_may_take_ten_times_as_long_as_the_longest_report_of_its_study() -> None:
    clock = Clock()
    deadlines = started(clock)
    advance(deadlines, clock, 20)
    deadlines.reported("trial")
    assert deadlines.allowed_s(100.0) == 200.0
    assert not advance(deadlines, clock, 200)
    (reason,) = advance(deadlines, clock, 1).values()
    assert (
        reason == "it hung: it reported nothing for 3 minutes and was ended; in this study reports took 20.0 s at most"
    )


def test_short_reports_do_not_make_the_deadline_short() -> None:
    deadlines = started(Clock(), longest=(0.1, 100.0))
    assert deadlines.allowed_s(100.0) == PATIENCE.least_s


def test_a_larger_network_may_take_longer_in_proportion_and_a_smaller_one_as_long() -> None:
    deadlines = started(Clock(), longest=(20.0, 100.0))
    assert (deadlines.allowed_s(300.0), deadlines.allowed_s(1.0)) == (600.0, 200.0)


def test_a_driver_that_was_stopped_itself_ends_no_trial() -> None:
    clock = Clock()
    deadlines = started(clock, longest=(1.0, 100.0))
    clock.seconds += 7200
    assert not deadlines.overdue()


def test_a_trial_that_has_ended_is_not_overdue() -> None:
    clock = Clock()
    deadlines = started(clock, longest=(1.0, 100.0))
    deadlines.ended("trial")
    deadlines.reported("trial")
    assert not advance(deadlines, clock, 100)
