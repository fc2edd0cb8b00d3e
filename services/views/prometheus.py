"""What Prometheus scrapes, read from the record: so every process of a service tells the same, whenever it started."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from services.store import totals

#: Each total's figure, what it tells, the name of its label, and whether it only ever grows.
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
    "dataset_checks": "checks of data sets by state",
}


class Figures(Collector):
    """Reads all figures at once, when it is made."""

    def __init__(self, connection: Connection) -> None:
        self._service = list(totals.of_service(connection))
        self._studies = list(totals.of_studies_at_work(connection))
        self._queues = totals.by_state(connection)
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
        yield from _families("seedleaf", self._service, studies=False)
        yield from _families("seedleaf_study", self._studies, studies=True)


def _families(prefix: str, rows: Iterable[Any], *, studies: bool) -> Iterator[Metric]:
    families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
    for name, (figure, text, label, grows) in _TOTALS.items():
        family = CounterMetricFamily if grows else GaugeMetricFamily
        labels = ["study_id"] * studies + ([label] if label else [])
        families[name] = family(f"{prefix}_{figure}", text, labels=labels)
    for row in rows:
        values = ([row.study_id] if studies else []) + ([row.label] if row.label else [])
        families[row.name].add_metric(values, row.amount)
    yield from families.values()
