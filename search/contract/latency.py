"""Latency: the statistics of one measurement, and the host that it was made on."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Latency:
    """A run's time in milliseconds, over all timed runs of all rounds.

    low_ms, high_ms: 95% bootstrap interval of the median. n: timed runs. sessions: how many were opened; with fewer
    sessions than rounds, the interval covers less of the differences between sessions. redone: rounds that were
    rejected and timed again, because the reference had drifted. stable: the reference drifted in no round that counts;
    where False, the host was busy, and the values only tell the order of magnitude. reference_ms: the reference's
    median, to judge the host by. load: the host's load average of the last minute, at the start.
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

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics that a trial or variant has of it: the median with its interval, and the 90th percentile."""
        return {
            "latency_ms": self.p50_ms,
            "latency_low_ms": self.low_ms,
            "latency_high_ms": self.high_ms,
            "latency_p90_ms": self.p90_ms,
        }


@dataclass(frozen=True, kw_only=True)
class HostLatency:
    """A latency with the label of the host; ``parent_ms`` is the median of the parent's file, if it was timed too."""

    latency: Latency
    host: str
    parent_ms: float | None = None

    def to_json(self) -> dict[str, object]:
        """As it is stored with a variant: one flat object."""
        parent = {} if self.parent_ms is None else {"parent_ms": self.parent_ms}
        return {**asdict(self.latency), **parent, "host": self.host}
