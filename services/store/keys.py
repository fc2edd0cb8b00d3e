"""SQL of API keys: only their hashes are kept."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from services.errors import NotFoundError
from services.store.tables import api_keys


def add(connection: Connection, *, key_id: str, name: str, sha256: str) -> None:
    connection.execute(insert(api_keys).values(id=key_id, name=name, sha256=sha256))


def listed(connection: Connection) -> Sequence[Row[Any]]:
    """Every key that was ever made, newest first, without its hash."""
    names = ("id", "name", "created_at", "revoked_at")
    return connection.execute(select(*(api_keys.c[name] for name in names)).order_by(api_keys.c.id.desc())).all()


def valid_hashes(connection: Connection) -> frozenset[str]:
    query = select(api_keys.c.sha256).where(api_keys.c.revoked_at.is_(None))
    return frozenset(connection.execute(query).scalars())


def revoke(connection: Connection, identifier: str) -> list[str]:
    """Revoke the valid keys of this id or name; returns their ids. NotFoundError if there is none."""
    named = or_(api_keys.c.id == identifier, api_keys.c.name == identifier)
    statement = update(api_keys).where(named, api_keys.c.revoked_at.is_(None)).values(revoked_at=func.now())
    revoked = connection.execute(statement.returning(api_keys.c.id)).scalars().all()
    if not revoked:
        raise NotFoundError("valid key", identifier)
    return list(revoked)
