"""API keys as the record holds them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key that was made once, without its hash; ``revoked_at`` is None while it is valid."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "ApiKey":
        return cls(id=row["id"], name=row["name"], created_at=row["created_at"], revoked_at=row["revoked_at"])
