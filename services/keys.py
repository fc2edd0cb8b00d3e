"""API keys: made once, shown once, revoked for good. Each has a name, a scope and, if its maker wants, an end.

Only a SHA-256 hash of a key is stored. Keys are 256 random bits, so a slow hash adds nothing.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Mapping
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import Engine

from services.records.keys import ApiKey, KeyName, KeyScope, KnownKey
from services.store import keys
from services.store.ids import new_id

#: A revoked or expired key is refused, and a new one accepted, after so many seconds at most.
FRESH_S = 2.0
_OPERATORS = KnownKey(
    name=KeyName(id=None, name="SEEDLEAF_API_KEY"), scope=KeyScope.ADMIN, expires_at=None, is_expired=False
)


def create(
    engine: Engine, name: str, *, scope: KeyScope = KeyScope.ADMIN, lifetime: timedelta | None = None
) -> tuple[str, str]:
    """Make a key called ``name``; its id, and the key itself, which cannot be looked up again.

    It expires after its ``lifetime``; None for a key that does not.
    """
    key_id, key = new_id("key"), f"seedleaf_{secrets.token_urlsafe(32)}"
    with engine.begin() as connection:
        keys.add(connection, key_id=key_id, name=name, sha256=_hash(key), scope=scope, lifetime=lifetime)
    return key_id, key


def every(engine: Engine) -> list[ApiKey]:
    """Every key that was ever made, newest first."""
    with engine.connect() as connection:
        return keys.every(connection)


def revoke(engine: Engine, identifier: str) -> list[str]:
    """Revoke a key by its id, or all keys of a name; the ids of those revoked. NotFoundError if there is none."""
    with engine.begin() as connection:
        return keys.revoke(connection, identifier)


class KeyRing:
    """The keys that a server knows: those in its database, read again every ``FRESH_S``, and the operator's own."""

    def __init__(self, engine: Engine, operators_key: SecretStr | None) -> None:
        self._engine = engine
        self._own = {} if operators_key is None else {_hash(operators_key.get_secret_value()): _OPERATORS}
        self._known: Mapping[str, KnownKey] = self._own
        self._any_made = False
        self._read_at_s = float("-inf")
        self._reading = threading.Lock()

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self._read_at_s < FRESH_S

    def refresh(self) -> None:
        """Read the keys again unless that was done a moment ago. OperationalError if the database is away."""
        with self._reading:
            if self.is_fresh:
                return
            with self._engine.connect() as connection:
                self._known = {**keys.known(connection), **self._own}
                self._any_made = keys.any_made(connection)
            self._read_at_s = time.monotonic()

    @property
    def are_required(self) -> bool:
        """Whether there is or has been a key: neither revoking the last one nor its expiry opens anything."""
        return bool(self._own) or self._any_made

    def find(self, key: str | None) -> KnownKey | None:
        """The key with this secret, valid or expired; None for one that was revoked or never made."""
        return None if key is None else self._known.get(_hash(key))

    def __len__(self) -> int:
        """How many keys open something."""
        return sum(not known.is_expired for known in self._known.values())

    def __contains__(self, key: object) -> bool:
        known = self.find(key) if isinstance(key, str) else None
        return known is not None and not known.is_expired


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
