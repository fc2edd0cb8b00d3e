"""Data sets: their registration, and what was found of them."""

from typing import Any

from sqlalchemy import Connection

from search.contract.dataset import DatasetSpec
from services.store import dataset_checks as checks
from services.store.db import new_id
from services.views.cursors import decode_id, encode_id


def register(connection: Connection, spec: DatasetSpec) -> dict[str, Any]:
    """Have an admitted data set checked; the files may change, so that every registration is checked anew."""
    check_id = new_id("dataset")
    checks.add(connection, check_id, spec.model_dump(mode="json"))
    return one(connection, check_id)


def one(connection: Connection, identifier: str) -> dict[str, Any]:
    """By the id of its registration, or the latest by the hash of its content. NotFoundError."""
    return dict(checks.get(connection, identifier)._mapping)


def page(connection: Connection, *, cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """Registrations, newest first, and the next page's cursor or None."""
    before_id = None if cursor is None else decode_id(cursor)
    rows = checks.page(connection, before_id=before_id, limit=limit + 1)
    following = encode_id(rows[limit - 1].id) if len(rows) > limit else None
    return [dict(row._mapping) for row in rows[:limit]], following
