"""Summarizing the timed runs of a measurement, and when two latencies tie.

Notation: R rounds (a fresh session each), n timed runs a round.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from search.contract.latency import Latency
from workers.latency.interval import median, median_interval


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
    """The rank of each of one measurement's latencies: one more than how many are faster without a tie."""
    return [1 + sum(b.p50_ms < a.p50_ms and not overlap(a, b) for b in latencies) for a in latencies]
