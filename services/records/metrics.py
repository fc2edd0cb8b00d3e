"""Metrics as columns of trials and of variants, and as mappings with the measured ones only."""

from collections.abc import Mapping

from sqlalchemy import RowMapping

METRIC_COLUMNS = (
    "f1",
    "accuracy",
    "latency_ms",
    "latency_low_ms",
    "latency_high_ms",
    "latency_p90_ms",
    "macs",
    "params",
    "size_bytes",
    "memory_bytes",
    "score",
)
#: Of a trial's candidate that was trained in full with several seeds: the mean of their f1 and its deviation.
RETRAINED_COLUMNS = ("retrained_f1", "retrained_f1_deviation")


def metric_columns(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those of the metrics that have a column."""
    return {name: metrics[name] for name in METRIC_COLUMNS if name in metrics}


def read_metrics(row: RowMapping) -> dict[str, float]:
    """The metrics of a row that were measured, in their columns' order."""
    return {name: row[name] for name in METRIC_COLUMNS if row[name] is not None}
