"""What a study's winners are: the front of its variants on every host and runtime, and the one to ship."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row

from search.study.winners import Figures, winners
from services.store import trials, variants
from services.views.leaderboard import variant_views


def variant_fronts(connection: Connection, study_id: str) -> list[dict[str, Any]]:
    """One front a host and runtime, with its picks; the fronts with the most variants first."""
    groups: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for row in variants.of_study(connection, study_id):
        groups[row.host, row.runtime].append(row)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [_front(connection, host, runtime, rows) for (host, runtime), rows in ordered]


def _front(connection: Connection, host: str, runtime: str, rows: Sequence[Row[Any]]) -> dict[str, Any]:
    picks = winners([_figures(row) for row in rows])
    by_id = {row.id: row._mapping for row in rows}
    items = variant_views(connection, [by_id[variant_id] for variant_id in picks.front])
    return {**asdict(picks), "host": host, "runtime": runtime, "items": items}


def _figures(row: Row[Any]) -> Figures:
    return Figures(
        id=row.id,
        f1=row.f1,
        latency_ms=row.latency_ms,
        low_ms=row.latency_low_ms,
        high_ms=row.latency_high_ms,
        score=row.score,
    )


def recommended(connection: Connection, study_id: str, fronts: Sequence[dict[str, Any]]) -> str | None:
    """The recommended variant of the study's target, which is the host that its trials were timed on; None where no
    variant was timed there, or trials were timed on more than one host.
    """
    hosts = trials.hosts(connection, study_id)
    chosen = [front["recommended"] for front in fronts if front["host"] in hosts]
    return chosen[0] if len(hosts) == len(chosen) == 1 else None
