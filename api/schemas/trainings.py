"""Candidates that are trained in full."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from search.contract.states import JobState


class EpochView(BaseModel):
    epoch: int
    loss: float
    f1: float
    accuracy: float
    elapsed_s: float


class SeedEpochView(EpochView):
    seed: int


class TrainRequest(BaseModel):
    """``epochs`` of each of ``seeds`` trainings from fresh weights, over the whole training split."""

    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(default=30, ge=1, le=10_000)
    seeds: int = Field(default=1, ge=1, le=20)


class TrainingView(BaseModel):
    """A candidate that is trained in full; ``f1`` is the mean over the seeds, with its sample deviation."""

    id: str
    trial_id: str
    study_id: str
    epochs: int
    seeds: int
    state: JobState
    reason: str | None
    f1: float | None
    f1_deviation: float | None
    created_at: datetime
    finished_at: datetime | None


class RunView(BaseModel):
    """What one seed came to; ``confusion`` counts, rows the true class, columns the predicted one."""

    seed: int
    f1: float
    accuracy: float
    per_class_f1: list[float]
    confusion: list[list[int]]


class TrainingDetail(TrainingView):
    runs: list[RunView]
    curves: list[SeedEpochView]
