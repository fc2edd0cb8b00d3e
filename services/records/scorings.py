"""Scorings on the test split as the record holds them, and what one of them found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from search.contract.on_test import ScoresOnTest
from search.contract.states import JobState


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """One look at a study's test split.

    ``trial_id`` is the trial whose full training is scored; None where the study's picks are. ``attempts`` counts its
    Ray jobs. ``reason`` of a completed one says which models were not scored and why.
    """

    id: str
    study_id: str
    trial_id: str | None
    state: JobState
    reason: str | None
    attempts: int
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "Scoring":
        return cls(
            id=row["id"],
            study_id=row["study_id"],
            trial_id=row["trial_id"],
            state=row["state"],
            reason=row["reason"],
            attempts=row["attempts"],
            created_at=row["created_at"],
            finished_at=row["finished_at"],
        )


@dataclass(frozen=True, kw_only=True)
class ScoringResult:
    """What a scoring found: scores by the id of a variant, and of a trial with the sha256 of the weights scored.

    ``reason`` says which models have no score and why; None where all have one. ``test_id`` hashes the test images;
    None where there are none.
    """

    variants: Mapping[str, ScoresOnTest]
    trials: Mapping[tuple[str, str], ScoresOnTest]
    reason: str | None
    test_id: str | None = None
