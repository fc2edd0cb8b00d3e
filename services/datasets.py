"""Data sets: their registration, and the results of their checks."""

from sqlalchemy import Connection

from search.contract.dataset import DatasetSpec
from services.records.dataset_checks import DatasetCheck
from services.store import dataset_checks as checks
from services.store.ids import new_id
from services.views.cursors import Page, cut, decode_id, encode_id


def register(connection: Connection, spec: DatasetSpec) -> DatasetCheck:
    """Have an admitted data set checked. Its files may change, so every registration is checked anew."""
    return checks.add(connection, new_id("dataset"), spec)


def get(connection: Connection, identifier: str) -> DatasetCheck:
    """By the id of its registration, or the latest by the hash of its content. NotFoundError."""
    return checks.get(connection, identifier)


def cancel(connection: Connection, check_id: str) -> DatasetCheck:
    """End a check by the id of its registration. NotFoundError; ConflictError if it has ended already."""
    return checks.cancel(connection, check_id, "its check was cancelled")


def list_page(connection: Connection, *, cursor: str | None, limit: int) -> Page[DatasetCheck]:
    """Registrations, newest first."""
    before_id = None if cursor is None else decode_id(cursor)
    listed = checks.page(connection, before_id=before_id, limit=limit + 1)
    items, following = cut(listed, limit, lambda check: encode_id(check.id))
    return Page(items=items, next=following)
