"""SQL of bulk writes: rows by COPY. What they add to totals is the caller's to write."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import psycopg2.extensions
from sqlalchemy import Connection, Table

_CHUNK_ROWS = 2000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Add rows, each with the values of ``columns``: None, text, numbers, times, or what becomes JSON."""
    statement = f"COPY {table.fullname} ({', '.join(columns)}) FROM STDIN"
    psycopg_connection = connection.connection.driver_connection
    assert isinstance(psycopg_connection, psycopg2.extensions.connection)
    with psycopg_connection.cursor() as cursor:
        cursor.copy_expert(statement, _Lines(iter(rows)))


class _Lines(io.TextIOBase):
    """The rows as a file that is read chunk by chunk."""

    def __init__(self, rows: Iterator[Sequence[object]]) -> None:
        self._rows = rows

    def read(self, size: int | None = -1) -> str:
        return "".join("\t".join(map(_text, row)) + "\n" for row in islice(self._rows, _CHUNK_ROWS))


def _text(value: object) -> str:
    if value is None:
        return "\\N"
    text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    return text.translate(_ESCAPES)
