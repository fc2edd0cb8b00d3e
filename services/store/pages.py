"""SQL of pages in the order of a metric: by key, so that the thousandth is found as fast as the first.

Rows without a value come last in either order. They are asked for on their own when the others are used up: so one
plain index on (metric, id) serves both orders, read forwards and backwards.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, literal, select, tuple_

from services.store.filters import Bound, holds
from services.views.cursors import SortValue

#: Too large for a listing.
_NEVER_LISTED = {"layers", "per_class_f1", "confusion"}


def page(
    connection: Connection,
    table: Table,
    *,
    equal: Mapping[str, Any],
    bounds: Sequence[Bound],
    sort: str,
    descending: bool,
    after: tuple[SortValue, str] | None,
    limit: int,
) -> Sequence[Any]:
    """The first ``limit`` rows in the order of ``sort`` and id that come ``after`` a row's values.

    Their columns are ``equal`` to what is asked, unless that is None, and within the ``bounds``.
    """
    key = table.c[sort]
    ordered = (
        select(*(column for column in table.c if column.name not in _NEVER_LISTED))
        .where(*(table.c[name] == value for name, value in equal.items() if value is not None))
        .where(*(holds(bound, table) for bound in bounds))
        .order_by(*((key.desc(), table.c.id.desc()) if descending else (key, table.c.id)))
    )
    rows: list[Any] = []
    if after is None or after[0] is not None:
        known = ordered.where(key.is_not(None)) if key.nullable else ordered
        if after is not None:
            known = known.where(_beyond(tuple_(key, table.c.id), _reached(key, after), descending))
        rows += connection.execute(known.limit(limit)).mappings()
    if key.nullable and len(rows) < limit:
        unknown = ordered.where(key.is_(None))
        if after is not None and after[0] is None:
            unknown = unknown.where(_beyond(table.c.id, literal(after[1]), descending))
        rows += connection.execute(unknown.limit(limit - len(rows))).mappings()
    return rows


def _reached(key: Column[Any], after: tuple[SortValue, str]) -> Any:
    value, row_id = after
    return tuple_(literal(value, key.type), literal(row_id))


def _beyond(position: Any, reached: Any, descending: bool) -> ColumnElement[bool]:
    beyond: ColumnElement[bool] = position < reached if descending else position > reached
    return beyond
