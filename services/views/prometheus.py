"""The metrics that Prometheus scrapes, read from the record: every process of a service reports the same values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from services.records.totals import Total
from services.store import totals

#: For each total the metric's name, its help, its label, and whether it only grows.
_TOTALS = {
    "trials": ("trials", "trials by state", "state", False),
    "trial_seconds": ("trial_seconds", "time that ended trials took, by state", "state", True),
    "spent": ("trials_spent", "trials that used up budget", None, True),
    "sampler_seconds": ("sampler_seconds", "time that samplers took to propose trials", None, True),
    "leases_lost": ("leases_lost", "leases that ran out before their work was done, by what was leased", "what", True),
}
_QUEUES = {
    "studies": "studies by state",
    "compression_jobs": "compression jobs by state; QUEUED is the queue's depth",
    "trainings": "trainings in full by state",
    "test_scorings": "scorings on the test split by state",
    "dataset_checks": "checks of data sets by state",
}


class RecordCollector(Collector):
    """Reads all values once, when it is made."""

    def __init__(self, connection: Connection) -> None:
        self._overall = totals.list_overall(connection)
        self._by_study = totals.list_by_active_study(connection)
        self._queues = totals.count_by_state(connection)
        self._timed_s = totals.timed_seconds(connection)

    def collect(self) -> Iterator[Metric]:
        for name, text in _QUEUES.items():
            gauge = GaugeMetricFamily(f"seedleaf_{name}", text, labels=["state"])
            for state, count in self._queues[name].items():
                gauge.add_metric([state], count)
            yield gauge
        timed = CounterMetricFamily("seedleaf_benchmark_seconds", "time that variants ran for to be timed")
        timed.add_metric([], self._timed_s)
        yield timed
        yield from _families("seedleaf", [], (([], total) for total in self._overall))
        yield from _families("seedleaf_study", ["study_id"], (([row.study_id], row.total) for row in self._by_study))


class RestartCollector(Collector):
    """How often this process had to start its PostgreSQL and its Ray again; ``restarts`` by part."""

    def __init__(self, restarts: Mapping[str, int]) -> None:
        self._restarts = restarts

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "seedleaf_restarts", "how often a part of this server died and was started again", labels=["part"]
        )
        for part, count in self._restarts.items():
            family.add_metric([part], count)
        yield family


def _families(
    prefix: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], Total]]
) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
    """One family per total; each value comes with its own values of ``labels``."""
    families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
    for name, (metric, text, label, grows) in _TOTALS.items():
        family = CounterMetricFamily if grows else GaugeMetricFamily
        families[name] = family(f"{prefix}_{metric}", text, labels=[*labels, *([label] if label else [])])
    for label_values, total in values:
        families[total.name].add_metric([*label_values, *([total.label] if total.label else [])], total.amount)
    yield from families.values()
