"""Frequent statements that PostgreSQL plans for longer than it runs them: each connection plans them once."""

from collections.abc import Sequence

from sqlalchemy import ClauseElement, ColumnElement, Connection, MappingResult, Text, literal_column, text
from sqlalchemy.dialects.postgresql.base import PGDialect

#: What stands in a prepared statement for its argument.
ARGUMENT: ColumnElement[str] = literal_column("$1", Text)


class Prepared:
    """A statement with one text as its ``ARGUMENT``, under a name that no other has; ``columns`` are those it gives.

    It needs a connection that keeps its session: a pooler that assigns sessions per transaction breaks it.
    """

    def __init__(self, name: str, statement: ClauseElement, columns: Sequence[ColumnElement[object]]) -> None:
        dialect = PGDialect()  # type: ignore[no-untyped-call]
        written = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        self._name, self._prepare = name, f"PREPARE {name} (text) AS {written}"
        self._execute = text(f"EXECUTE {name} (:argument)").columns(*columns)

    def __call__(self, connection: Connection, argument: str) -> MappingResult:
        # What a connection has prepared survives a rollback, and ends with it, as its info does.
        if self._name not in connection.info:
            connection.exec_driver_sql(self._prepare)
            connection.info[self._name] = True
        return connection.execute(self._execute, {"argument": argument}).mappings()
