"""The protocol, on a clock that only the subjects move, and once in earnest: the reference against itself."""

import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from workers.latency.gate import HostGate
from workers.latency.protocol import Effort, Latency, Subject, measure, overlap
from workers.latency.reference import REFERENCE
from workers.latency.result import ranks
from workers.latency.subject import Run

_EFFORT = Effort(min_rounds=5, max_rounds=5, precision=0.01, runs=20, box_s=0.03, open_s=0.5, max_redone=4)


class World:
    """A clock, the sessions opened on it, and subjects whose runs move it."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.opened: list[str] = []

    def clock_ns(self) -> int:
        return self.now_ns

    def subject(self, key: str, run_ms: Callable[[int, int], float], *, opening_ms: float = 0) -> Subject:
        """``run_ms(session, run)`` is how long a run of a session takes."""
        sessions = count()

        def open_session(threads: int) -> Run:
            self.opened.append(key)
            self.now_ns += round(opening_ms * 1e6)
            session, runs = next(sessions), count()

            def run() -> None:
                self.now_ns += round(run_ms(session, next(runs)) * 1e6)

            return run

        return Subject(key=key, open=open_session)

    def measure(
        self, gate: HostGate, *subjects: Subject, reference: Subject, effort: Effort = _EFFORT
    ) -> tuple[Latency, ...]:
        return measure(
            subjects, threads=1, gate=gate, effort=effort, reference=reference, clock_ns=self.clock_ns, timeout_s=30
        )


@pytest.fixture
def gate(tmp_path: Path) -> HostGate:
    return HostGate(tmp_path)


def _steady(milliseconds: float) -> Callable[[int, int], float]:
    return lambda session, run: milliseconds


def _disturbed(milliseconds: float, runs: Sequence[range]) -> Callable[[int, int], float]:
    """Half as long again during the ``runs``."""
    return lambda session, run: milliseconds * (1.5 if any(run in some for some in runs) else 1)


def test_every_subject_is_opened_anew_each_round_and_the_reference_once(gate: HostGate) -> None:
    world = World()
    fast, slow = world.measure(
        gate,
        world.subject("fast", _steady(0.25)),
        world.subject("slow", _steady(0.5)),
        reference=world.subject("reference", _steady(0.25)),
    )
    assert sorted(world.opened) == ["fast"] * 5 + ["reference"] + ["slow"] * 5
    assert (fast.p50_ms, slow.p50_ms, fast.reference_ms) == (0.25, 0.5, 0.25)
    assert (fast.n, fast.rounds, fast.redone, fast.stable) == (100, 5, 0, True)
    assert not overlap(fast, slow)
    assert overlap(slow, slow)


def test_what_takes_long_to_open_keeps_its_session_and_says_so(gate: HostGate) -> None:
    world = World()
    slow, slower, quick = world.measure(
        gate,
        world.subject("slow", _steady(1), opening_ms=200),
        world.subject("slower", _steady(1), opening_ms=90_000),
        world.subject("quick", _steady(1), opening_ms=100),
        reference=world.subject("reference", _steady(0.25)),
    )
    assert [(latency.rounds, latency.sessions) for latency in (slow, slower, quick)] == [(5, 2), (5, 1), (5, 5)]
    assert sorted(world.opened) == ["quick"] * 5 + ["reference"] + ["slow"] * 2 + ["slower"]


def test_a_place_counts_the_faster_ones_that_are_no_tie(gate: HostGate) -> None:
    world = World()
    times = {"slow": 2.0, "fast": 1.0, "same": 1.0, "slowest": 3.0}
    latencies = world.measure(
        gate,
        *(world.subject(key, _steady(milliseconds)) for key, milliseconds in times.items()),
        reference=world.subject("reference", _steady(0.25)),
    )
    assert ranks(latencies) == [3, 1, 1, 4]


def test_subjects_take_turns_in_an_order_that_changes(gate: HostGate) -> None:
    world = World()
    world.measure(
        gate,
        world.subject("a", _steady(1)),
        world.subject("b", _steady(1)),
        reference=world.subject("reference", _steady(1)),
    )
    rounds = [tuple(world.opened[1:][at : at + 2]) for at in range(0, 10, 2)]
    assert set(rounds) == {("a", "b"), ("b", "a")}


def test_warm_up_lasts_until_runs_no_longer_get_faster(gate: HostGate) -> None:
    world = World()
    (latency,) = world.measure(
        gate,
        world.subject("a", lambda session, run: 0.5 + 0.5 / (1 + run) ** 2),
        reference=world.subject("reference", _steady(0.25)),
    )
    assert 0.5 <= latency.p99_ms < 0.52


def test_a_round_whose_reference_drifts_is_timed_again(gate: HostGate) -> None:
    world = World()
    (latency,) = world.measure(
        gate,
        world.subject("a", lambda session, run: 3.0 if session == 0 else 1.0),
        reference=world.subject("reference", _disturbed(0.25, [range(26)])),
    )
    assert (latency.redone, latency.stable) == (1, True)
    assert (latency.p50_ms, latency.p99_ms, latency.rounds) == (1.0, 1.0, 5)


def test_where_the_host_never_calms_down_the_result_is_marked_instead_of_lost(gate: HostGate) -> None:
    world = World()
    (latency,) = world.measure(
        gate,
        world.subject("a", _steady(1)),
        reference=world.subject("reference", lambda session, run: 0.25 * (1 + run / 100)),
    )
    assert (latency.redone, latency.stable, latency.p50_ms) == (_EFFORT.max_redone, False, 1.0)


def test_rounds_are_added_until_the_median_is_known_well_enough(gate: HostGate) -> None:
    effort = replace(_EFFORT, min_rounds=4, max_rounds=12)
    world = World()
    reference = world.subject("reference", _steady(0.25))
    (steady,) = world.measure(gate, world.subject("steady", _steady(1.0)), reference=reference, effort=effort)
    (settling,) = world.measure(
        gate,
        world.subject("settling", lambda session, run: 2.0 if session in (0, 2) else 1.0),
        reference=reference,
        effort=effort,
    )
    (scattered,) = world.measure(
        gate,
        world.subject("scattered", lambda session, run: 1.0 + session % 2),
        reference=reference,
        effort=effort,
    )
    assert (steady.rounds, scattered.rounds) == (4, 12)
    assert 4 < settling.rounds < 12
    assert settling.low_ms == settling.high_ms == 1.0


def test_a_slow_model_gets_few_runs(gate: HostGate) -> None:
    world = World()
    (latency,) = world.measure(
        gate, world.subject("slow", _steady(400)), reference=world.subject("reference", _steady(0.25))
    )
    assert latency.n == 5 * 3
    assert world.now_ns < 10e9


def test_sessions_that_differ_persistently_tie_with_each_other(gate: HostGate) -> None:
    world = World()
    latencies = world.measure(
        gate,
        world.subject("a", lambda session, run: 1.0 + 0.01 * (session % 3)),
        world.subject("b", lambda session, run: 1.0 + 0.01 * ((session + 1) % 3)),
        reference=world.subject("reference", _steady(0.25)),
    )
    assert overlap(*latencies)


def test_two_measurements_are_compared_as_multiples_of_the_reference(gate: HostGate) -> None:
    world = World()
    (usual,) = world.measure(
        gate, world.subject("a", _steady(1.0)), reference=world.subject("reference", _steady(0.25))
    )
    (throttled,) = world.measure(
        gate, world.subject("a", _steady(2.0)), reference=world.subject("reference", _steady(0.5))
    )
    assert overlap(usual, throttled)
    assert not overlap(usual, replace(throttled, reference_ms=0.25))


def test_affinity_and_garbage_collection_are_as_before_even_after_a_failure(gate: HostGate) -> None:
    def during(threads: int) -> Run:
        assert not gc.isenabled()
        if hasattr(os, "sched_getaffinity"):
            assert len(os.sched_getaffinity(0)) == threads
        raise FileNotFoundError("the model is gone")

    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    world = World()
    with pytest.raises(FileNotFoundError):
        world.measure(gate, Subject(key="broken", open=during), reference=world.subject("reference", _steady(0.25)))
    assert gc.isenabled()
    if before is not None:
        assert os.sched_getaffinity(0) == before
    with HostGate(gate.directory).measuring(timeout_s=0):
        pass


def test_more_threads_than_cores_are_refused(gate: HostGate) -> None:
    with pytest.raises(ValueError, match="this process may use"):
        measure([REFERENCE], threads=100_000, gate=gate)


def test_the_reference_ties_with_itself(gate: HostGate) -> None:
    latencies = measure([REFERENCE, replace(REFERENCE, key="again")], threads=1, gate=gate)
    for latency in latencies:
        assert 0 < latency.low_ms <= latency.high_ms
        assert latency.p50_ms <= latency.p90_ms <= latency.p99_ms
    assert overlap(*latencies) or not latencies[0].stable
