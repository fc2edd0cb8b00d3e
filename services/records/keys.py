"""API keys as the record holds them, and what each lets its holder do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import RowMapping


class KeyScope(StrEnum):
    """What a key lets its holder do; each scope includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: "KeyScope") -> bool:
        """Whether a key of this scope may do what needs the scope ``needed``."""
        ordered = tuple(KeyScope)
        return ordered.index(self) >= ordered.index(needed)


@dataclass(frozen=True, kw_only=True)
class KeyName:
    """Names a key without its secret; ``id`` is None for the operator's own key, which is in no table."""

    id: str | None
    name: str

    @classmethod
    def from_json(cls, stored: Mapping[str, str] | None) -> "KeyName | None":
        return None if stored is None else cls(id=stored.get("id"), name=stored["name"])

    def as_json(self) -> dict[str, str | None]:
        return {"id": self.id, "name": self.name}


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A key as a server knows it that gets a request; ``expires_at`` is None for one that does not expire."""

    name: KeyName
    scope: KeyScope
    expires_at: datetime | None
    is_expired: bool


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key that was made once, without its hash.

    ``expires_at`` is None if it does not expire; ``revoked_at`` is None unless it was revoked.
    """

    id: str
    name: str
    scope: KeyScope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "ApiKey":
        return cls(
            id=row["id"],
            name=row["name"],
            scope=KeyScope(row["scope"]),
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            revoked_at=row["revoked_at"],
        )
