"""SQL of pages in the order of a metric: by key, so that the thousandth is read as fast as the first.

Rows without a value come last in either order. A query of their own reads them when the others are used up: so one
plain index on (metric, id) serves both orders, read forwards and backwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Tuple, literal, select, tuple_

from services.store.filters import Bound, bound_condition

#: A metric of a page's last row; None where that row has none.
SortValue = int | float | None


@dataclass(frozen=True, kw_only=True)
class PageQuery:
    """The first ``limit`` rows in the order of ``sort`` and id that come ``after`` a row's values.

    Columns are ``equal`` to the given values, unless these are None, and within the ``bounds``.
    """

    equal: Mapping[str, str | None]
    bounds: Sequence[Bound]
    sort: str
    descending: bool
    after: tuple[SortValue, str] | None
    limit: int


def read_page(connection: Connection, columns: Sequence[Column[object]], query: PageQuery) -> list[RowMapping]:
    """The ``columns`` of a page's rows, all of one table."""
    table = columns[0].table
    key, row_id, after = table.c[query.sort], table.c.id, query.after
    ordered = (
        select(*columns)
        .where(*(table.c[name] == value for name, value in query.equal.items() if value is not None))
        .where(*(bound_condition(bound, table.c[bound.metric]) for bound in query.bounds))
        .order_by(*((key.desc(), row_id.desc()) if query.descending else (key, row_id)))
    )
    rows: list[RowMapping] = []
    if after is None or after[0] is not None:
        with_value = ordered.where(key.is_not(None)) if key.nullable else ordered
        if after is not None:
            last = tuple_(literal(after[0], key.type), literal(after[1]))
            with_value = with_value.where(_is_after(tuple_(key, row_id), last, query.descending))
        rows += connection.execute(with_value.limit(query.limit)).mappings()
    if key.nullable and len(rows) < query.limit:
        without_value = ordered.where(key.is_(None))
        if after is not None and after[0] is None:
            without_value = without_value.where(_is_after(row_id, literal(after[1]), query.descending))
        rows += connection.execute(without_value.limit(query.limit - len(rows))).mappings()
    return rows


def _is_after(
    position: ColumnElement[str] | Tuple, last: ColumnElement[str] | Tuple, descending: bool
) -> ColumnElement[bool]:
    return position < last if descending else position > last
