"""COPY: rows arrive as they were given, whatever is in them."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from services.store import bulk
from services.store.tables import enqueued_trials
from tests.integration.records import make_study

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(assignments=st.lists(st.dictionaries(_TEXT, _TEXT | st.integers(-100, 100) | st.none()), max_size=5))
def test_rows_arrive_as_they_were_given(engine: Engine, assignments: list[dict[str, Any]]) -> None:
    study_id = make_study(engine)
    rows = [(f"row\t{number}\\n\n", study_id, assignment) for number, assignment in enumerate(assignments)]
    with engine.begin() as connection:
        connection.execute(delete(enqueued_trials))
        bulk.copy(connection, enqueued_trials, ("id", "study_id", "assignment"), rows)
    with engine.connect() as connection:
        query = select(enqueued_trials.c.id, enqueued_trials.c.study_id, enqueued_trials.c.assignment)
        assert sorted(connection.execute(query).all(), key=lambda row: row.id) == rows
