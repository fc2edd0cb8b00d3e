"""Listings: keyset pages that show every row once, in order, whatever is missing."""

import operator
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from search.contract.states import TrialState
from services.errors import RejectedError
from services.store import trials as trial_rows
from services.views import leaderboard
from services.views.cursors import Page
from services.views.trials import TrialRow
from services.views.variants import VariantRow
from tests.integration.records import make_study, make_trial, make_variant


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.sampled_from([0.0, 0.25, 0.5, None]), max_size=7),
    limit=st.integers(1, 3),
    descending=st.booleans(),
)
def test_pages_show_every_trial_once_in_order_with_the_unknown_last(
    engine: Engine, values: list[float | None], limit: int, descending: bool
) -> None:
    study_id = make_study(engine)
    for value in values:
        if value is None:
            make_trial(engine, study_id, TrialState.FAILED)
        else:
            make_trial(engine, study_id, f1=value)
    seen, cursor = list[TrialRow](), None
    with engine.connect() as connection:
        while True:
            page = leaderboard.trial_page(
                connection,
                study_id=study_id,
                state=None,
                sort="f1",
                descending=descending,
                cursor=cursor,
                limit=limit,
            )
            assert len(page.items) <= limit
            seen += page.items
            cursor = page.next
            if cursor is None:
                break
    assert len({item.id for item in seen}) == len(values)
    worst = float("-inf") if descending else float("inf")
    keys = [item.metrics.get("f1", worst) for item in seen]
    assert keys == sorted(keys, reverse=descending)


@pytest.mark.parametrize("cursor", ["nonsense", "bm9uc2Vuc2U", "WzEsMl0"])
def test_a_cursor_of_someone_elses_making_is_refused(engine: Engine, cursor: str) -> None:
    with engine.connect() as connection, pytest.raises(RejectedError, match="cursor"):
        leaderboard.trial_page(
            connection, study_id=None, state=None, sort="f1", descending=False, cursor=cursor, limit=5
        )


def test_an_unknown_metric_is_named_with_the_known_ones(engine: Engine) -> None:
    with (
        engine.connect() as connection,
        pytest.raises(RejectedError, match="this listing has no 'speed' to sort by; known: number, f1"),
    ):
        leaderboard.trial_page(
            connection, study_id=None, state=None, sort="speed", descending=False, cursor=None, limit=5
        )


_RELATIONS = {">=": operator.ge, "<=": operator.le}
_F1 = st.sampled_from([0.0, 0.25, 0.3, 1.0])
_PARAMS = st.sampled_from([0, 99, 100, 2**53 + 1])
_BOUNDS = st.one_of(
    st.tuples(st.just("f1"), st.sampled_from(sorted(_RELATIONS)), st.one_of(_F1, st.floats(-1, 2))),
    st.tuples(
        st.just("params"),
        st.sampled_from(sorted(_RELATIONS)),
        st.one_of(_PARAMS.filter(lambda count: count < 2**53), st.floats(-1e30, 1e30), st.floats(98, 101)),
    ),
    st.tuples(st.just("retrained_f1"), st.sampled_from(sorted(_RELATIONS)), _F1),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    measured=st.lists(st.tuples(_F1, _PARAMS, st.none() | _F1), max_size=6),
    bounds=st.lists(_BOUNDS, max_size=3),
    sort=st.sampled_from(["f1", "params", "retrained_f1", "number"]),
    limit=st.integers(1, 3),
    descending=st.booleans(),
)
def test_filters_leave_what_plain_python_leaves(
    engine: Engine,
    measured: list[tuple[float, int, float | None]],
    bounds: list[tuple[str, str, float]],
    sort: str,
    limit: int,
    descending: bool,
) -> None:
    study_id = make_study(engine)
    for f1, params, retrained_f1 in measured:
        trial_id = make_trial(engine, study_id, f1=f1, params=params)
        if retrained_f1 is not None:
            with engine.begin() as connection:
                trial_rows.set_retrained(connection, trial_id, f1=retrained_f1, f1_deviation=0.0)
    make_trial(engine, study_id, TrialState.FAILED)
    where = [f"{name}{relation}{number!r}" for name, relation, number in bounds]
    query = {"study_id": study_id, "sort": sort, "descending": descending, "limit": limit}
    with engine.connect() as connection:
        every, filtered = _paged(connection, **query), _paged(connection, **query, where=where)
    assert [item.number for item in filtered] == [
        item.number for item in every if all(_holds(item.metrics, *bound) for bound in bounds)
    ]


def _paged(connection: Connection, **query: Any) -> list[TrialRow]:
    page = leaderboard.trial_page(connection, state=None, cursor=None, **query)
    items = [*page.items]
    while page.next is not None:
        page = leaderboard.trial_page(connection, state=None, cursor=page.next, **query)
        items += page.items
    return items


def _holds(metrics: Mapping[str, float], name: str, relation: str, number: float) -> bool:
    return name in metrics and bool(_RELATIONS[relation](metrics[name], number))


def test_a_filter_goes_with_the_state(engine: Engine) -> None:
    study_id = make_study(engine)
    make_trial(engine, study_id, f1=0.9)
    make_trial(engine, study_id, f1=0.1)
    with engine.connect() as connection:
        page = partial(
            leaderboard.trial_page,
            connection,
            study_id=study_id,
            where=["f1>=0.5"],
            sort="f1",
            descending=True,
            cursor=None,
            limit=5,
        )
        completed = page(state=TrialState.COMPLETED)
        failed = page(state=TrialState.FAILED)
    assert ([item.metrics["f1"] for item in completed.items], failed.items) == ([0.9], [])


def test_variants_are_filtered_too(engine: Engine) -> None:
    study_id = make_study(engine)
    trial_id = make_trial(engine, study_id)
    small, _ = (make_variant(engine, study_id, trial_id, size_bytes=size_bytes) for size_bytes in (1000, 3000))
    with engine.connect() as connection:
        page = _variants(connection, study_id, "size_bytes <= 2e3")
        assert [item.id for item in page.items] == [small]
        with pytest.raises(RejectedError, match="has no 'retrained_f1' to filter by; known: f1, "):
            _variants(connection, study_id, "retrained_f1>=0.5")


def _variants(connection: Connection, study_id: str, where: str) -> Page[VariantRow]:
    return leaderboard.variant_page(
        connection,
        study_id=study_id,
        trial_id=None,
        runtime=None,
        where=[where],
        sort="score",
        descending=False,
        cursor=None,
        limit=5,
    )


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ("speed>=1", "this listing has no 'speed' to filter by; known: f1, accuracy, latency_ms"),
        ("number>=1", "no 'number' to filter by"),
        ("f1>0.8", "'f1>0.8' is no filter: give a metric, >= or <=, and a number, as f1>=0.8"),
        ("f1", "is no filter"),
        ("", "is no filter"),
        ("f1>=0.8 0.9", "is no filter"),
        ("f1>=high", "'high' in 'f1>=high' is no finite number"),
        ("f1>=nan", "is no finite number"),
        ("f1<=-inf", "is no finite number"),
        ("f1<=1e999", "is no finite number"),
    ],
)
def test_what_is_no_filter_is_refused_in_words(engine: Engine, where: str, complaint: str) -> None:
    with engine.connect() as connection, pytest.raises(RejectedError, match=re.escape(complaint)) as refused:
        _paged(connection, study_id=None, where=[where], sort="f1", descending=False, limit=5)
    assert refused.value.field == "where"
