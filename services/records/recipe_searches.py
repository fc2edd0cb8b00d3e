"""Searches for a candidate's recipes as the record holds them, and what each has tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from search.contract.history import read_stored
from search.contract.recipes import Recipe
from search.contract.states import JobState


@dataclass(frozen=True, kw_only=True)
class RecipeSearch:
    """A candidate whose recipes are searched; ``reason`` and ``finished_at`` are None while the search is open."""

    id: str
    trial_id: str
    study_id: str
    weights_sha256: str
    reason: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "RecipeSearch":
        return cls(
            id=row["id"],
            trial_id=row["trial_id"],
            study_id=row["study_id"],
            weights_sha256=row["weights_sha256"],
            reason=row["reason"],
            created_at=row["created_at"],
            finished_at=row["finished_at"],
        )


@dataclass(frozen=True, kw_only=True)
class TriedRecipe:
    """A recipe that was queued for a search's candidate, and its variant on the study's target where there is one.

    ``elapsed_s`` is how long its job has run, ``parent_ms`` the latency of the uncompressed candidate.
    """

    recipe: Recipe
    state: JobState
    elapsed_s: float
    f1: float | None
    latency_ms: float | None
    parent_ms: float | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "TriedRecipe":
        latency: Mapping[str, float] = row["latency"] or {}
        return cls(
            recipe=read_stored(Recipe, row["recipe"]),
            state=row["state"],
            elapsed_s=row["elapsed_s"],
            f1=row["f1"],
            latency_ms=row["latency_ms"],
            parent_ms=latency.get("parent_ms"),
        )
