"""Compression jobs as the record holds them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from search.contract.recipes import Recipe
from search.contract.states import JobState
from services.records.json_object import JsonObject


@dataclass(frozen=True, kw_only=True)
class CompressionJob:
    """A recipe that is queued for a trial's weights.

    ``recipe`` is as it was stored; ``attempts`` counts how often a pool has leased the job.
    """

    id: str
    trial_id: str
    study_id: str
    recipe: JsonObject
    weights_sha256: str
    state: JobState
    reason: str | None
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "CompressionJob":
        return cls(
            id=row["id"],
            trial_id=row["trial_id"],
            study_id=row["study_id"],
            recipe=row["recipe"],
            weights_sha256=row["weights_sha256"],
            state=row["state"],
            reason=row["reason"],
            attempts=row["attempts"],
            created_at=row["created_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
        )

    def read_recipe(self) -> Recipe:
        """The recipe. ValueError if this version cannot carry it out."""
        return Recipe.model_validate(self.recipe)
