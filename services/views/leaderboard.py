"""The leaderboard of trials and that of variants: keyset pages of projected columns, never OFFSET.

A cursor is the sort key and id of a page's last row; rows without a value come last in either order.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from search.contract.states import TrialState
from services.errors import RejectedError
from services.records.metrics import METRIC_COLUMNS, RETRAINED_COLUMNS
from services.records.trials import Trial
from services.records.variants import Variant
from services.store import trials, variants
from services.store.filters import read_bounds
from services.store.pages import PageQuery
from services.views import trials as trial_views
from services.views import variants as variant_views
from services.views.cursors import Page, cut, decode_position, encode_position
from services.views.trials import TrialRow
from services.views.variants import VariantRow

_TRIAL_METRICS = (*METRIC_COLUMNS, *RETRAINED_COLUMNS)


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
) -> Page[TrialRow]:
    """Trials with their best variants by score.

    All of ``where`` hold for each, in the syntax of store/filters.py. RejectedError for an unknown metric, a malformed
    filter or a cursor of another listing.
    """
    query = _query(
        {"study_id": study_id, "state": state},
        metrics=_TRIAL_METRICS,
        sort_keys=("number", *_TRIAL_METRICS),
        where=where,
        sort=sort,
        descending=descending,
        cursor=cursor,
        limit=limit,
    )

    def cursor_after(trial: Trial) -> str:
        value = trial.number if sort == "number" else trial.all_metrics.get(sort)
        return encode_position(value, trial.id)

    records, following = cut(trials.list_page(connection, query), limit, cursor_after)
    return Page(items=trial_views.make_rows(connection, records), next=following)


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
) -> Page[VariantRow]:
    """Deployable models; ``where`` and errors as for trials."""
    query = _query(
        {"study_id": study_id, "trial_id": trial_id, "runtime": runtime},
        metrics=METRIC_COLUMNS,
        sort_keys=METRIC_COLUMNS,
        where=where,
        sort=sort,
        descending=descending,
        cursor=cursor,
        limit=limit,
    )

    def cursor_after(variant: Variant) -> str:
        return encode_position(variant.metrics.get(sort), variant.id)

    records, following = cut(variants.list_page(connection, query), limit, cursor_after)
    return Page(items=variant_views.make_rows(connection, records), next=following)


def _query(
    equal: Mapping[str, str | None],
    *,
    metrics: Sequence[str],
    sort_keys: Sequence[str],
    where: Sequence[str],
    sort: str,
    descending: bool,
    cursor: str | None,
    limit: int,
) -> PageQuery:
    """One row more than ``limit`` tells whether a page follows."""
    bounds = read_bounds(where, metrics)
    if sort not in sort_keys:
        raise RejectedError("sort", f"this listing has no {sort!r} to sort by; known: {', '.join(sort_keys)}")
    return PageQuery(
        equal=equal,
        bounds=bounds,
        sort=sort,
        descending=descending,
        after=None if cursor is None else decode_position(cursor),
        limit=limit + 1,
    )
