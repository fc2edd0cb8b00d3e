"""Statements that a connection plans once: they outlive a rollback, and a new connection has its own."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Connection, DateTime, Engine, column, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError

from services.store.prepared import ARGUMENT, Prepared

ECHO = Prepared(
    "echo",
    select(text("jsonb_build_object('said', CAST($1 AS text)) AS answer"), text("now() AS at")).where(ARGUMENT != "'"),
    [column("answer", JSONB), column("at", DateTime(timezone=True))],
)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


def _planned(connection: Connection) -> int:
    count = connection.execute(text("SELECT count(*) FROM pg_prepared_statements WHERE name = 'echo'")).scalar_one()
    return int(count)


def test_it_gives_what_its_columns_are_and_is_planned_once(connection: Connection) -> None:
    for said in ("a", "it's %s :colon"):
        row = ECHO(connection, said).one()
        assert row["answer"] == {"said": said}
        assert isinstance(row["at"], datetime)
    assert ECHO(connection, "'").all() == []
    assert _planned(connection) == 1


def test_it_outlives_the_transaction_that_it_was_planned_in(connection: Connection) -> None:
    ECHO(connection, "a")
    connection.rollback()
    assert ECHO(connection, "b").one()["answer"] == {"said": "b"}


def test_a_connection_that_was_lost_leaves_its_plan_behind(engine: Engine) -> None:
    with engine.connect() as connection, engine.connect() as other:
        ECHO(connection, "a")
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(OperationalError):
            ECHO(connection, "b")
    for _ in range(2):
        with engine.connect() as connection:
            assert ECHO(connection, "c").one()["answer"] == {"said": "c"}
