"""What is left of a deleted study."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import RowMapping

from services.records.keys import KeyName


@dataclass(frozen=True, kw_only=True)
class DeletedStudy:
    """Says that there was a study, and who deleted it; ``deleted_by`` is None without a key."""

    id: str
    name: str
    deleted_at: datetime
    deleted_by: KeyName | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "DeletedStudy":
        by = KeyName.from_json(row["deleted_by"])
        return cls(id=row["id"], name=row["name"], deleted_at=row["deleted_at"], deleted_by=by)

    def __str__(self) -> str:
        by = f" with the key {self.deleted_by.name!r}" if self.deleted_by else ""
        return (
            f"study {self.id} ({self.name!r}) was deleted at {self.deleted_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC{by}"
        )


@dataclass(frozen=True, kw_only=True)
class Remains:
    """What a study has outside its rows: the ``files`` that they name, by SHA-256, the ``ray_jobs`` that may still run,
    and the ids of the ``trainings`` that may have checkpoints.
    """

    files: Sequence[str]
    ray_jobs: Sequence[str]
    trainings: Sequence[str]
