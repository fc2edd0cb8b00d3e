"""API keys: made once, shown once, kept as hashes, revoked for good.

A key is 256 random bits, so that one round of SHA-256 is as good as a slow hash: there is nothing to guess.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, Row

from services.store import keys
from services.store.db import new_id

#: A revoked key is refused, and a new one known, after so long at most.
FRESH_S = 2.0


def create(engine: Engine, name: str) -> tuple[str, str]:
    """Make a key for whom ``name`` says; its id, and the key itself, which nobody can look up again."""
    key_id, key = new_id("key"), f"seedleaf_{secrets.token_urlsafe(32)}"
    with engine.begin() as connection:
        keys.add(connection, key_id=key_id, name=name, sha256=_hash(key))
    return key_id, key


def listed(engine: Engine) -> Sequence[Row[Any]]:
    """Every key's id, name and times, newest first."""
    with engine.connect() as connection:
        return keys.listed(connection)


def revoke(engine: Engine, identifier: str) -> list[str]:
    """Revoke a key by its id, or all of a name; their ids. NotFoundError if no valid key is called so."""
    with engine.begin() as connection:
        return keys.revoke(connection, identifier)


class KeyRing:
    """The keys that a server takes: those in its database, read again every ``FRESH_S``, and the operator's own."""

    def __init__(self, engine: Engine, operators_key: SecretStr | None) -> None:
        self._engine = engine
        self._own = frozenset() if operators_key is None else frozenset([_hash(operators_key.get_secret_value())])
        self._valid = self._own
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
            self._read_at_s = time.monotonic()

    def __len__(self) -> int:
        return len(self._valid)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _hash(key) in self._valid


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
