"""The protocol by which latencies are measured: interleaved with a reference, in fresh sessions, on quiet cores.

A measurement owns the host's slot and is pinned to cores of its own. It consists of rounds. In each round every subject
is opened anew (two sessions of one file differ persistently, by their memory layout), warmed up and timed, in shuffled
order, among them the reference. The reference keeps one session for the whole measurement: what it drifts by is the
host's doing. Rounds in which it drifted are rejected and timed again. The measurement ends once the intervals of all
medians are narrow enough. What takes long to open (a program that has to be compiled) keeps a session for several
rounds.
"""

import gc
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from search.contract.latency import Latency
from workers.latency.cores import pinned
from workers.latency.gate import HostGate
from workers.latency.interval import relative_half_width
from workers.latency.reference import REFERENCE
from workers.latency.result import overlap, summarize
from workers.latency.subject import Run, Subject

__all__ = ["QUICK", "THOROUGH", "Effort", "Latency", "Subject", "measure", "overlap"]

_MAX_DRIFT = 0.03
_WARM_UP_RUNS = 5
_STILL_FASTER = 0.98
_MIN_RUNS = 3


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to measure.

    min_rounds, max_rounds: each with a fresh session of each subject, as long as opening them takes no more than open_s
    per subject. precision: half the width of a median's interval, as a fraction of the median, that is narrow enough
    to end before max_rounds. runs: timed runs per round, fewer (at least 3) where they would take more than box_s.
    box_s: also the most that a session warms up. max_redone: rounds that may be timed again.
    """

    min_rounds: int
    max_rounds: int
    precision: float
    runs: int
    box_s: float
    open_s: float
    max_redone: int


#: For trials while a search runs.
QUICK = Effort(min_rounds=4, max_rounds=10, precision=0.03, runs=20, box_s=0.03, open_s=0.5, max_redone=10)
#: For the variants that are published.
THOROUGH = Effort(min_rounds=8, max_rounds=25, precision=0.01, runs=100, box_s=0.1, open_s=4.0, max_redone=25)


def measure(
    subjects: Sequence[Subject],
    *,
    threads: int,
    gate: HostGate,
    effort: Effort = QUICK,
    reference: Subject = REFERENCE,
    timeout_s: float | None = None,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
) -> tuple[Latency, ...]:
    """Latencies of ``subjects``, in their order; comparable with each other, and on one host only.

    Where ``effort.max_redone`` rounds were not enough, the results are marked ``stable=False``: on a busy laptop a
    figure with a note is better than none. Raises SlotBusyError where the host was not free within ``timeout_s``, and
    ValueError for more threads than there are cores.
    """
    with pinned(threads), gate.measuring(timeout_s=timeout_s), _without_garbage_collection():
        load, _, _ = os.getloadavg()
        kept = reference.open(threads)
        bench = _Bench((*subjects, replace(reference, open=lambda _: kept)), threads, effort, clock_ns)
        rounds, redone = _rounds(bench, effort)
    reference_ms = _reference_ms(rounds)
    stable = bool(_drift(reference_ms).max() <= _MAX_DRIFT)
    return tuple(
        summarize(
            np.stack(times_ms),
            sessions=sessions,
            redone=redone,
            stable=stable,
            reference_ms=float(np.median(reference_ms)),
            load=load,
        )
        for times_ms, sessions in zip(list(zip(*rounds, strict=True))[:-1], bench.sessions, strict=False)
    )


_Times = npt.NDArray[np.float64]
#: The times of one round: of each subject in order, and of the reference last.
_Round = list[_Times]


class _Bench:
    """Times rounds of the same ``subjects``; how many runs a session has is settled in the first round."""

    def __init__(self, subjects: Sequence[Subject], threads: int, effort: Effort, clock_ns: Callable[[], int]) -> None:
        self._subjects = subjects
        self._threads = threads
        self._effort = effort
        self._clock_ns = clock_ns
        self._order = random.Random(0)
        self._runs: dict[int, int] = {}
        self._open: dict[int, Run] = {}
        self._opening_s = [0.0] * len(subjects)
        self.sessions = [0] * len(subjects)

    def round(self) -> _Round:
        positions = range(len(self._subjects))
        shuffled = self._order.sample(positions, k=len(positions))
        times_ms = {position: self._session(position) for position in shuffled}
        return [times_ms[position] for position in positions]

    def _session(self, position: int) -> _Times:
        run = self._opened(position)
        warm_ms = self._warm_up(run)
        affordable = int(self._effort.box_s * 1000 / max(warm_ms, 1e-6))
        runs = self._runs.setdefault(position, max(_MIN_RUNS, min(self._effort.runs, affordable)))
        return self._timed(run, runs)

    def _opened(self, position: int) -> Run:
        """A fresh session, or the last one where opening sessions has taken its time."""
        mean_s = self._opening_s[position] / max(self.sessions[position], 1)
        if position not in self._open or self._opening_s[position] + mean_s <= self._effort.open_s:
            self._open.pop(position, None)
            start_ns = self._clock_ns()
            self._open[position] = self._subjects[position].open(self._threads)
            self._opening_s[position] += (self._clock_ns() - start_ns) / 1e9
            self.sessions[position] += 1
        return self._open[position]

    def _warm_up(self, run: Run) -> float:
        """Run until it no longer gets faster, or the box is full; how long a run takes now, in milliseconds."""
        end_ns = self._clock_ns() + self._effort.box_s * 1e9
        last_ms = float(self._timed(run, 1)[0])
        while self._clock_ns() < end_ns:
            now_ms = float(np.median(self._timed(run, _WARM_UP_RUNS)))
            if now_ms > last_ms * _STILL_FASTER:
                return now_ms
            last_ms = now_ms
        return last_ms

    def _timed(self, run: Run, runs: int) -> _Times:
        stamps_ns = [self._clock_ns()]
        for _ in range(runs):
            run()
            stamps_ns.append(self._clock_ns())
        return np.diff(stamps_ns) / 1e6


def _rounds(bench: _Bench, effort: Effort) -> tuple[list[_Round], int]:
    """Rounds until the medians are precise, without those that drifted most; and how many were redone."""
    rounds: list[_Round] = []
    redone = 0
    while True:
        rounds.append(bench.round())
        if len(rounds) < effort.min_rounds:
            continue
        drift = _drift(_reference_ms(rounds))
        if drift.max() > _MAX_DRIFT and redone < effort.max_redone:
            del rounds[drift.argmax()]
            redone += 1
        elif len(rounds) >= effort.max_rounds or _precise(rounds, effort.precision):
            return rounds, redone


def _precise(rounds: list[_Round], precision: float) -> bool:
    """Whether the median of each subject, but for the reference, is known to within ``precision`` of itself."""
    return all(
        relative_half_width(np.stack(times_ms)) <= precision for times_ms in list(zip(*rounds, strict=True))[:-1]
    )


def _reference_ms(rounds: list[_Round]) -> _Times:
    """The reference's median in each round, shape (R,)."""
    return np.array([np.median(times_ms[-1]) for times_ms in rounds])


def _drift(reference_ms: _Times) -> _Times:
    """How far the reference is from its median, as a fraction of it, shape (R,)."""
    return np.abs(reference_ms / np.median(reference_ms) - 1)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
