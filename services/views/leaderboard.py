"""The leaderboard and the other listings: keyset pages of projected columns, never OFFSET.

A cursor is the sort key and id of a page's last row; rows without a value come last in either order.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from search.contract.states import TrialState
from services.errors import RejectedError
from services.store import pages
from services.store import trials as trial_rows
from services.store import variants as variant_rows
from services.store.filters import read_bounds
from services.store.tables import METRIC_COLUMNS, RETRAINED_COLUMNS, trials, variants
from services.views.cursors import decode_position, encode_position


def metrics_of(row: Any) -> dict[str, float]:
    """The metrics of a row that are known."""
    return {name: row[name] for name in (*METRIC_COLUMNS, *RETRAINED_COLUMNS) if row.get(name) is not None}


def trial_page(
    connection: Connection,
    *,
    study_id: str | None,
    state: TrialState | None,
    where: Sequence[str] = (),
    sort: str,
    descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """One row a trial with its best variant by score, and the next page's cursor or None.

    All of ``where`` hold for it, each as in store/filters.py. RejectedError for what cannot be asked so.
    """
    rows, following = _page(
        connection,
        trials,
        equal={"study_id": study_id, "state": state},
        where=where,
        sort=sort,
        descending=descending,
        cursor=cursor,
        limit=limit,
    )
    best = best_variants(connection, [row["id"] for row in rows])
    return [trial_view(row, best.get(row["id"])) for row in rows], following


def trial_view(row: Any, best_variant: dict[str, Any] | None) -> dict[str, Any]:
    names = ("id", "study_id", "number", "state", "reason", "candidate", "assignment", "host")
    times = ("created_at", "finished_at")
    return {**{name: row[name] for name in (*names, *times)}, "metrics": metrics_of(row), "best_variant": best_variant}


def best_variants(connection: Connection, trial_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Each trial's variant with the lowest score."""
    rows = [row._mapping for row in variant_rows.best_of(connection, trial_ids)]
    return {view["trial_id"]: view for view in variant_views(connection, rows)}


def variant_page(
    connection: Connection,
    *,
    study_id: str | None,
    trial_id: str | None,
    runtime: str | None,
    where: Sequence[str] = (),
    sort: str,
    descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """One row a deployable model, and the next page's cursor or None; ``where`` as for trials."""
    rows, following = _page(
        connection,
        variants,
        equal={"study_id": study_id, "trial_id": trial_id, "runtime": runtime},
        where=where,
        sort=sort,
        descending=descending,
        cursor=cursor,
        limit=limit,
    )
    return variant_views(connection, rows), following


def variant_views(connection: Connection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    files = variant_rows.artifacts_of(connection, [row["id"] for row in rows])
    numbers = trial_rows.numbers(connection, [row["trial_id"] for row in rows])
    names = ("id", "trial_id", "study_id", "recipe", "steps", "runtime", "host", "parity_error", "agreement", "latency")
    return [
        {
            **{name: row[name] for name in names},
            "trial_number": numbers[row["trial_id"]],
            "created_at": row["created_at"],
            "metrics": metrics_of(row),
            "artifacts": files[row["id"]],
        }
        for row in rows
    ]


def _page(
    connection: Connection,
    table: Table,
    *,
    equal: Mapping[str, str | None],
    where: Sequence[str],
    sort: str,
    descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[Any], str | None]:
    metrics = [name for name in (*METRIC_COLUMNS, *RETRAINED_COLUMNS) if name in table.c]
    bounds = read_bounds(where, metrics)
    known = [*(["number"] if "number" in table.c else []), *metrics]
    if sort not in known:
        raise RejectedError("sort", f"this listing has no {sort!r} to sort by; known: {', '.join(known)}")
    rows = pages.page(
        connection,
        table,
        equal=equal,
        bounds=bounds,
        sort=sort,
        descending=descending,
        after=None if cursor is None else decode_position(cursor),
        limit=limit + 1,
    )
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode_position(rows[limit - 1][sort], rows[limit - 1]["id"])
