"""Events of studies as the record holds them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from services.records.json_object import JsonObject


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a study; ``kind`` says what its ``payload`` holds."""

    id: int
    kind: str
    trial_id: str | None
    payload: JsonObject
    created_at: datetime

    @classmethod
    def from_row(cls, row: RowMapping) -> "Event":
        return cls(
            id=row["id"],
            kind=row["kind"],
            trial_id=row["trial_id"],
            payload=row["payload"],
            created_at=row["created_at"],
        )
