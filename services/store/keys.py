"""SQL of API keys: only their hashes are kept."""

from sqlalchemy import Connection, func, insert, or_, select, update

from services.errors import NotFoundError
from services.records.keys import ApiKey
from services.store.tables import api_keys


def add(connection: Connection, *, key_id: str, name: str, sha256: str) -> None:
    connection.execute(insert(api_keys).values(id=key_id, name=name, sha256=sha256))


def every(connection: Connection) -> list[ApiKey]:
    """Every key that was ever made, newest first."""
    query = select(api_keys).order_by(api_keys.c.id.desc())
    return [ApiKey.from_row(row) for row in connection.execute(query).mappings()]


def valid_hashes(connection: Connection) -> frozenset[str]:
    query = select(api_keys.c.sha256).where(api_keys.c.revoked_at.is_(None))
    return frozenset(connection.execute(query).scalars())


def any_made(connection: Connection) -> bool:
    """Whether there has ever been a key, valid or revoked."""
    return bool(connection.execute(select(select(api_keys.c.id).exists())).scalar_one())


def revoke(connection: Connection, identifier: str) -> list[str]:
    """Revoke the valid keys of this id or name; returns their ids. NotFoundError if there is none."""
    named = or_(api_keys.c.id == identifier, api_keys.c.name == identifier)
    statement = update(api_keys).where(named, api_keys.c.revoked_at.is_(None)).values(revoked_at=func.now())
    revoked = connection.execute(statement.returning(api_keys.c.id)).scalars().all()
    if not revoked:
        raise NotFoundError("valid key", identifier)
    return list(revoked)
