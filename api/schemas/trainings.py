"""Full trainings of candidates, and learning curves."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.confusion import ConfusionSummaryView
from search.contract.states import JobState


class EpochView(BaseModel):
    """One epoch of a learning curve."""

    epoch: int = Field(description="The number of the epoch, from 1.")
    loss: float = Field(description="The mean training loss in this epoch.")
    f1: float = Field(description="Macro F1 on the validation split after this epoch.")
    accuracy: float = Field(description="Accuracy on the validation split after this epoch.")
    elapsed_s: float = Field(description="Seconds of training up to the end of this epoch.")


class SeedEpochView(EpochView):
    """One epoch of one seed of a full training."""

    seed: int = Field(description="The seed of the run that it belongs to.")


class TrainRequest(BaseModel):
    """A full training: one or several runs from fresh weights, over the whole training split."""

    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(default=30, ge=1, le=10_000, description="Epochs of each run; 30 by default.")
    seeds: int = Field(default=1, ge=1, le=20, description="How many runs, each with a seed of its own; 1 by default.")


class TrainingView(BaseModel):
    """A full training of a trial's candidate."""

    id: str = Field(description="The training's id.")
    trial_id: str = Field(description="The trial whose candidate is trained.")
    study_id: str = Field(description="The study of that trial.")
    epochs: int = Field(description="Epochs of each run.")
    seeds: int = Field(description="How many runs.")
    state: JobState = Field(description="The training's state.")
    reason: str | None = Field(description="Why it failed, was cancelled or waits; null otherwise.")
    queue_position: int | None = Field(
        default=None,
        description="Its place among the trainings that wait to start, 1 for the one that has waited longest; null if "
        "it does not wait.",
    )
    f1: float | None = Field(description="The mean macro F1 over the seeds; null until COMPLETED.")
    f1_deviation: float | None = Field(description="The sample standard deviation of F1; null until COMPLETED.")
    created_at: datetime = Field(description="When it was queued.")
    finished_at: datetime | None = Field(description="When it ended; null before.")


class RunView(BaseModel):
    """The result of one seed."""

    seed: int = Field(description="The seed.")
    f1: float = Field(description="Macro F1 on the validation split.")
    accuracy: float = Field(description="Accuracy on the validation split.")
    per_class_f1: list[float] = Field(description="F1 of each class, in the order of the study's classes.")
    confusion: list[list[int]] | None = Field(
        description="Counts of validation images: rows are true classes, columns predicted ones; null above 200 "
        "classes."
    )
    confusion_summary: ConfusionSummaryView | None = Field(
        default=None,
        description="What takes the place of the matrix above 200 classes; null for fewer.",
    )


class TrainingDetail(TrainingView):
    """A full training with its runs and learning curves."""

    runs: list[RunView] = Field(description="The result of each seed that has ended.")
    curves: list[SeedEpochView] = Field(description="Every epoch so far, of all seeds.")
