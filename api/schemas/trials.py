"""Trials: a candidate network with its results."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.confusion import ConfusionSummaryView
from api.schemas.on_test import OnTest
from api.schemas.trainings import EpochView, TrainingView
from api.schemas.variants import ArtifactView, VariantView
from search.contract.candidate import Candidate
from search.contract.history import as_history
from search.contract.recipes import Recipe
from search.contract.states import JobState, TrialState
from search.contract.trials import TrialRole


class TrialView(OnTest):
    """A trial with its metrics and its best variant."""

    id: str = Field(description="The trial's id.")
    study_id: str = Field(description="The study that it belongs to.")
    number: int = Field(description="Its number in the study, from 0.")
    state: TrialState = Field(description="The trial's state.")
    reason: str | None = Field(description="Why it was stopped, ruled out, cancelled or failed; null otherwise.")
    candidate: Annotated[Candidate, as_history(Candidate)] = Field(
        description="The network, its augmentation and its training settings."
    )
    assignment: dict[str, object] = Field(description="The choices that were made: each parameter's value.")
    role: TrialRole | None = Field(
        description="What it is for, in a study of pretrained networks: `probe` has frozen features and a linear "
        "classifier, `plain` is the whole network, fine-tuned; null for every other trial.",
    )
    metrics: dict[str, float] = Field(description="Its metrics, by name; units are in the names.")
    host: str | None = Field(description="The machine that its latency was measured on; null if it was not.")
    best_variant: VariantView | None = Field(description="Its variant with the best score; null if it has none.")
    created_at: datetime = Field(description="When it started.")
    finished_at: datetime | None = Field(description="When it ended; null before.")


class LayerView(BaseModel):
    """One line of the backbone, with its costs for one image."""

    shape: list[int] = Field(description="The shape of its output: channels, height, width.")
    macs: int = Field(description="Its multiply-accumulates.")
    params: int = Field(description="Its parameters.")


class JobView(BaseModel):
    """A compression job."""

    id: str = Field(description="The job's id.")
    recipe: Annotated[Recipe, as_history(Recipe)] = Field(description="The recipe that it applies.")
    state: JobState = Field(description="The job's state.")
    reason: str | None = Field(description="Why it failed or was cancelled; null otherwise.")
    attempts: int = Field(description="How often it was started.")
    created_at: datetime = Field(description="When it was queued.")
    finished_at: datetime | None = Field(description="When it ended; null before.")


class RecipeSearchView(BaseModel):
    """A search for the recipes that suit a candidate."""

    reason: str | None = Field(description="Why it ended; null while it runs.")
    created_at: datetime = Field(description="When it started.")
    finished_at: datetime | None = Field(description="When it ended; null before.")


class TrialDetail(TrialView):
    """A trial with its learning curve, scores by class, layers and jobs."""

    artifacts: list[ArtifactView] = Field(
        description="Its own files: the weights, and pictures of what its augmentation does to some images."
    )
    layers: list[LayerView] | None = Field(
        description="The layers of the candidate's backbone; null for trials that never ran."
    )
    epochs: list[EpochView] = Field(description="The learning curve.")
    per_class_f1: list[float] | None = Field(
        description="F1 of each class on the validation split, in the order of the study's classes; null unless scored."
    )
    confusion: list[list[int]] | None = Field(
        description="Counts of validation images: rows are true classes, columns predicted ones; null unless scored, "
        "and above 200 classes."
    )
    confusion_summary: ConfusionSummaryView | None = Field(
        default=None,
        description="What takes the place of the matrix above 200 classes; null for fewer, or unless scored.",
    )
    compression: list[JobView] = Field(description="Its compression jobs.")
    recipe_searches: list[RecipeSearchView] = Field(description="The searches for its recipes.")
    trainings: list[TrainingView] = Field(description="The full trainings of its candidate.")


class CompressRequest(BaseModel):
    """A recipe to apply to a trial."""

    model_config = ConfigDict(extra="forbid")

    recipe: str | Recipe = Field(description="A recipe's name (GET /recipes lists them), or a recipe written out.")
