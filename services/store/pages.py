"""SQL of pages in the order of a metric: by key, so that the thousandth is found as fast as the first.

Rows without a value come last in either order. They are asked for on their own when the others are used up: so one
plain index on (metric, id) serves both orders, read forwards and backwards.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, literal, tuple_

from services.cursors import SortValue


def page(
    connection: Connection,
    query: Select[Any],
    table: Table,
    sort: Column[Any],
    *,
    descending: bool,
    after: tuple[SortValue, str] | None,
    limit: int,
) -> Sequence[Any]:
    """The first ``limit`` rows of ``query`` in the order of ``sort`` and id that come ``after`` a row's values."""
    order = (sort.desc(), table.c.id.desc()) if descending else (sort, table.c.id)
    ordered = query.order_by(*order)
    rows: list[Any] = []
    if after is None or after[0] is not None:
        known = ordered.where(sort.is_not(None)) if sort.nullable else ordered
        if after is not None:
            known = known.where(_beyond(tuple_(sort, table.c.id), _reached(sort, after), descending))
        rows += connection.execute(known.limit(limit)).mappings()
    if sort.nullable and len(rows) < limit:
        unknown = ordered.where(sort.is_(None))
        if after is not None and after[0] is None:
            unknown = unknown.where(_beyond(table.c.id, literal(after[1]), descending))
        rows += connection.execute(unknown.limit(limit - len(rows))).mappings()
    return rows


def _reached(sort: Column[Any], after: tuple[SortValue, str]) -> Any:
    value, row_id = after
    return tuple_(literal(value, sort.type), literal(row_id))


def _beyond(position: Any, reached: Any, descending: bool) -> ColumnElement[bool]:
    beyond: ColumnElement[bool] = position < reached if descending else position > reached
    return beyond
