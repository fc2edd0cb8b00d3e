"""Trials: a candidate with what came of it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.trainings import EpochView, TrainingView
from api.schemas.variants import ArtifactView, VariantView
from search.contract.candidate import Candidate
from search.contract.recipes import Recipe
from search.contract.states import JobState, TrialState


class TrialView(BaseModel):
    id: str
    study_id: str
    number: int
    state: TrialState
    reason: str | None
    candidate: Candidate
    assignment: dict[str, Any] = Field(description="the choices that were made: each parameter's value")
    metrics: dict[str, float]
    host: str | None
    best_variant: VariantView | None
    created_at: datetime
    finished_at: datetime | None


class LayerView(BaseModel):
    """A line of the backbone: the ``shape`` (channels, height, width) that it gives, and its costs for one image."""

    shape: list[int]
    macs: int
    params: int


class JobView(BaseModel):
    id: str
    recipe: Recipe
    state: JobState
    reason: str | None
    attempts: int
    created_at: datetime
    finished_at: datetime | None


class RecipeSearchView(BaseModel):
    """A search for a candidate's recipes; ``reason`` says why it ended, and is null while it goes on."""

    reason: str | None
    created_at: datetime
    finished_at: datetime | None


class TrialDetail(TrialView):
    """``per_class_f1`` and ``confusion`` (rows the true class) follow the order of the study's classes. ``layers`` are
    those of the candidate's backbone, null for trials that never ran. ``artifacts`` are its own files: the weights, and
    what its augmentation makes of some images.
    """

    artifacts: list[ArtifactView]
    layers: list[LayerView] | None
    epochs: list[EpochView]
    per_class_f1: list[float] | None
    confusion: list[list[int]] | None
    compression: list[JobView]
    recipe_searches: list[RecipeSearchView]
    trainings: list[TrainingView]


class CompressRequest(BaseModel):
    """A recipe's name (GET /recipes lists them), or a recipe written out."""

    model_config = ConfigDict(extra="forbid")

    recipe: str | Recipe
