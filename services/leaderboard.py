"""The leaderboard and the other listings: keyset pages of projected columns, never OFFSET.

A cursor is the sort key and id of a page's last row; rows without a value come last in either order.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Select, Table, cast, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from search.metrics import MetricName
from search.states import TrialState
from services.errors import RejectedError
from services.store import variants as variant_rows
from services.tables import METRIC_COLUMNS, RETRAINED_COLUMNS, trials, variants


def encode_cursor(*key: Any) -> str:
    """An opaque cursor of the last row's sort key and id."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[Any]:
    """The key of a cursor; RejectedError if it is not one of this listing."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(key, list) and len(key) == parts:
            return key
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError):
        pass
    raise RejectedError("cursor", "is not one that this listing gave: start again without it")


def metrics_of(row: Any) -> dict[str, float]:
    """The metrics of a row that are known."""
    return {name: row[name] for name in (*METRIC_COLUMNS, *RETRAINED_COLUMNS) if row.get(name) is not None}


def trial_page(
    connection: Connection,
    *,
    study_id: str | None,
    state: TrialState | None,
    sort: str,
    descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """One row a trial with its best variant by score, and the next page's cursor or None."""
    columns = [column for column in trials.c if column.name not in ("per_class_f1", "confusion")]
    key = _sort_key(trials, sort, descending)
    query = select(*columns, key.label("sort_key"))
    if study_id is not None:
        query = query.where(trials.c.study_id == study_id)
    if state is not None:
        query = query.where(trials.c.state == state)
    rows, following = _page(connection, query, trials, key, descending, cursor, limit)
    best = best_variants(connection, [row["id"] for row in rows])
    return [trial_view(row, best.get(row["id"])) for row in rows], following


def trial_view(row: Any, best_variant: dict[str, Any] | None) -> dict[str, Any]:
    names = ("id", "study_id", "number", "state", "reason", "candidate", "assignment", "host")
    times = ("created_at", "finished_at")
    return {**{name: row[name] for name in (*names, *times)}, "metrics": metrics_of(row), "best_variant": best_variant}


def best_variants(connection: Connection, trial_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Each trial's variant with the lowest score."""
    query = (
        select(variants)
        .where(variants.c.trial_id.in_(trial_ids))
        .ext(distinct_on(variants.c.trial_id))
        .order_by(variants.c.trial_id, variants.c.score, variants.c.id)
    )
    rows = connection.execute(query).mappings().all()
    return {view["trial_id"]: view for view in variant_views(connection, rows)}


def variant_page(
    connection: Connection,
    *,
    study_id: str | None,
    trial_id: str | None,
    runtime: str | None,
    sort: str,
    descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """One row a deployable model, and the next page's cursor or None."""
    key = _sort_key(variants, sort, descending)
    query = select(*variants.c, key.label("sort_key"))
    wanted = {"study_id": study_id, "trial_id": trial_id, "runtime": runtime}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(variants.c[name] == value)
    rows, following = _page(connection, query, variants, key, descending, cursor, limit)
    return variant_views(connection, rows), following


def variant_views(connection: Connection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    files = variant_rows.artifacts_of(connection, [row["id"] for row in rows])
    names = ("id", "trial_id", "study_id", "recipe", "steps", "runtime", "host", "parity_error", "agreement", "latency")
    return [
        {
            **{name: row[name] for name in names},
            "created_at": row["created_at"],
            "metrics": metrics_of(row),
            "artifacts": files[row["id"]],
        }
        for row in rows
    ]


def _sort_key(table: Table, sort: MetricName | str, descending: bool) -> ColumnElement[float]:
    known = [name for name in ("number", *METRIC_COLUMNS, *RETRAINED_COLUMNS) if name in table.c]
    if sort not in known:
        raise RejectedError("sort", f"this listing has no {sort!r} to sort by; known: {', '.join(known)}")
    last = literal(float("-inf") if descending else float("inf"), Float(53))
    return func.coalesce(cast(table.c[sort], Float(53)), last)


def _page(
    connection: Connection,
    query: Select[Any],
    table: Table,
    key: ColumnElement[float],
    descending: bool,
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[Any], str | None]:
    position = tuple_(key, table.c.id)
    if cursor is not None:
        value, row_id = decode_cursor(cursor, 2)
        if not isinstance(value, int | float | str) or not isinstance(row_id, str):
            raise RejectedError("cursor", "is not one that this listing gave: start again without it")
        reached = tuple_(literal(float(value), Float(53)), literal(row_id))
        query = query.where(position < reached if descending else position > reached)
    order = (key.desc(), table.c.id.desc()) if descending else (key, table.c.id)
    rows = connection.execute(query.order_by(*order).limit(limit + 1)).mappings().all()
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], encode_cursor(str(last["sort_key"]), last["id"])
