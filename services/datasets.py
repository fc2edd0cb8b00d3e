"""Data sets: which a server admits, looked at without decoding anything, and their registration."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from search.dataset import DatasetSpec
from services.cursors import decode_id, encode_id
from services.db import new_id
from services.errors import RejectedError
from services.store import dataset_checks as checks


def admitted(spec: DatasetSpec, roots: Sequence[Path] | None, *, within: str = "") -> DatasetSpec:
    """The spec with every path resolved, symbolic links included. ``within`` is its own field's name and a dot.

    RejectedError if there is nothing at a path or if it lies outside the data roots; without roots any path will do.
    URLs are left to the workers, and refused by a server that has data roots.
    """
    places = {field: getattr(spec, field) for field in ("path", "annotations", "classes")}
    resolved = {
        field: admitted_path(within + field, place, roots, may_be_new=spec.download)
        for field, place in places.items()
        if isinstance(place, str)
    }
    return spec.model_copy(update=resolved)


def admitted_path(field: str, place: str, roots: Sequence[Path] | None, *, may_be_new: bool = False) -> str:
    """A path of one of the workers' disks, resolved. RejectedError names ``field``."""
    is_url = "://" in place or "::" in place
    if is_url and roots is None:
        return place
    path = Path(place).expanduser().resolve()
    if roots is not None and (is_url or not any(path.is_relative_to(root.resolve()) for root in roots)):
        allowed = ", ".join(str(root) for root in roots)
        raise RejectedError(field, f"must lie under a data root of this server: {allowed}")
    if not path.exists() and not may_be_new:
        raise RejectedError(field, f"there is nothing at {path}: give a path that the server can read")
    return str(path)


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
