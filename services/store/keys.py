"""SQL of API keys: only their hashes are kept."""

from datetime import timedelta

from sqlalchemy import Connection, func, insert, or_, select, update

from services.errors import NotFoundError
from services.records.keys import ApiKey, KeyName, KeyScope, KnownKey
from services.store.tables import api_keys


def add(
    connection: Connection, *, key_id: str, name: str, sha256: str, scope: KeyScope, lifetime: timedelta | None
) -> None:
    """``lifetime`` begins now, by the database's clock; None for a key that does not expire."""
    expires_at = None if lifetime is None else func.now() + lifetime
    values = {"id": key_id, "name": name, "sha256": sha256, "scope": scope, "expires_at": expires_at}
    connection.execute(insert(api_keys).values(values))


def every(connection: Connection) -> list[ApiKey]:
    """Every key that was ever made, newest first."""
    query = select(api_keys).order_by(api_keys.c.id.desc())
    return [ApiKey.from_row(row) for row in connection.execute(query).mappings()]


def known(connection: Connection) -> dict[str, KnownKey]:
    """The keys that were not revoked by their SHA-256 hashes, those that have expired included."""
    is_expired = func.coalesce(api_keys.c.expires_at <= func.now(), False).label("is_expired")
    query = select(api_keys, is_expired).where(api_keys.c.revoked_at.is_(None))
    return {
        row.sha256: KnownKey(
            name=KeyName(id=row.id, name=row.name),
            scope=KeyScope(row.scope),
            expires_at=row.expires_at,
            is_expired=row.is_expired,
        )
        for row in connection.execute(query)
    }


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
