"""Data sets: their registration, and the results of their checks."""

from sqlalchemy import Connection

from search.contract.dataset import DatasetSpec
from services.records.dataset_checks import DatasetCheck
from services.store import dataset_checks as checks
from services.store.db import new_id
from services.views.cursors import decode_id, encode_id


def register(connection: Connection, spec: DatasetSpec) -> DatasetCheck:
    """Have an admitted data set checked. Its files may change, so every registration is checked anew."""
    return checks.add(connection, new_id("dataset"), spec)


def one(connection: Connection, identifier: str) -> DatasetCheck:
    """By the id of its registration, or the latest by the hash of its content. NotFoundError."""
    return checks.get(connection, identifier)


def page(connection: Connection, *, cursor: str | None, limit: int) -> tuple[list[DatasetCheck], str | None]:
    """Registrations, newest first, and the next page's cursor or None."""
    before_id = None if cursor is None else decode_id(cursor)
    listed = checks.page(connection, before_id=before_id, limit=limit + 1)
    following = encode_id(listed[limit - 1].id) if len(listed) > limit else None
    return listed[:limit], following
