"""Latency: what a measurement found, and when two of them tie.

Notation: R rounds (a fresh session each), n timed runs a round.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.latency.interval import median, median_interval


@dataclass(frozen=True, kw_only=True)
class Latency:
    """A run's time in milliseconds, over all timed runs of all rounds.

    low_ms, high_ms: 95% bootstrap interval of the median. n: timed runs. sessions: how many were opened; where they are
    fewer than the rounds, the interval knows less of how sessions differ. redone: rounds that were rejected and timed
    again, because the reference had drifted. stable: no round that counts has a drifted reference; where False, the
    host was not quiet, and the figures only tell the order of magnitude. reference_ms: the reference's median, to judge
    the host by. load: the host's load average of the last minute, at the start.
    """

    p50_ms: float
    p90_ms: float
    p99_ms: float
    mean_ms: float
    std_ms: float
    low_ms: float
    high_ms: float
    n: int
    rounds: int
    sessions: int
    redone: int
    stable: bool
    reference_ms: float
    load: float


def summarize(
    times_ms: npt.NDArray[np.float64], *, sessions: int, redone: int, stable: bool, reference_ms: float, load: float
) -> Latency:
    """The figures of ``times_ms``, shape (R, n)."""
    p90_ms, p99_ms = np.quantile(times_ms, (0.9, 0.99), method="inverted_cdf")
    low_ms, high_ms = median_interval(times_ms)
    return Latency(
        p50_ms=median(times_ms),
        p90_ms=float(p90_ms),
        p99_ms=float(p99_ms),
        mean_ms=float(times_ms.mean()),
        std_ms=float(times_ms.std()),
        low_ms=low_ms,
        high_ms=high_ms,
        n=times_ms.size,
        rounds=len(times_ms),
        sessions=sessions,
        redone=redone,
        stable=stable,
        reference_ms=reference_ms,
        load=load,
    )


def overlap(a: Latency, b: Latency) -> bool:
    """Whether the intervals of the medians overlap: then neither is faster, they tie.

    Each is taken as a multiple of its own reference, which cancels what the host drifts by between two measurements;
    in one measurement the reference is the same. Meant for one host only.
    """
    return (
        a.low_ms / a.reference_ms <= b.high_ms / b.reference_ms
        and b.low_ms / b.reference_ms <= a.high_ms / a.reference_ms
    )


def ranks(latencies: Sequence[Latency]) -> list[int]:
    """The place of each of one measurement's latencies: one more than how many are faster without a tie."""
    return [1 + sum(b.p50_ms < a.p50_ms and not overlap(a, b) for b in latencies) for a in latencies]
