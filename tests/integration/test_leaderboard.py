"""Listings: keyset pages that show every row once, in order, whatever is missing."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from search.states import TrialState
from services import leaderboard
from services.errors import RejectedError
from tests.integration.records import make_study, make_trial


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
    seen, cursor = [], None
    with engine.connect() as connection:
        while True:
            items, cursor = leaderboard.trial_page(
                connection,
                study_id=study_id,
                state=None,
                sort="f1",
                descending=descending,
                cursor=cursor,
                limit=limit,
            )
            assert len(items) <= limit
            seen += items
            if cursor is None:
                break
    assert len({item["id"] for item in seen}) == len(values)
    worst = float("-inf") if descending else float("inf")
    keys = [item["metrics"].get("f1", worst) for item in seen]
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
