"""API keys: made once, shown once, revoked for good.

Only a SHA-256 hash of a key is stored. Keys are 256 random bits, so a slow hash adds nothing.
"""

import hashlib
import secrets
import threading
import time

from pydantic import SecretStr
from sqlalchemy import Engine

from services.records.keys import ApiKey
from services.store import keys
from services.store.ids import new_id

#: A revoked key is refused, and a new one accepted, after so many seconds at most.
FRESH_S = 2.0


def create(engine: Engine, name: str) -> tuple[str, str]:
    """Make a key called ``name``; its id, and the key itself, which cannot be looked up again."""
    key_id, key = new_id("key"), f"seedleaf_{secrets.token_urlsafe(32)}"
    with engine.begin() as connection:
        keys.add(connection, key_id=key_id, name=name, sha256=_hash(key))
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
    """The keys that a server takes: those in its database, read again every ``FRESH_S``, and the operator's own."""

    def __init__(self, engine: Engine, operators_key: SecretStr | None) -> None:
        self._engine = engine
        self._own = frozenset() if operators_key is None else frozenset([_hash(operators_key.get_secret_value())])
        self._valid = self._own
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
                self._valid = self._own | keys.valid_hashes(connection)
                self._any_made = keys.any_made(connection)
            self._read_at_s = time.monotonic()

    @property
    def are_required(self) -> bool:
        """Whether there is or has been a key: revoking the last one opens nothing."""
        return bool(self._valid) or self._any_made

    def __len__(self) -> int:
        return len(self._valid)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _hash(key) in self._valid


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
