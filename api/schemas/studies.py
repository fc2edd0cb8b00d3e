"""Studies: what is asked for, and how far they are."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from search.contract.states import JobState, StudyPhase, StudyState
from search.study.spec import ResourcesSpec, StudySpec


class Progress(BaseModel):
    """``finished`` of ``total`` trials have used up budget; ``compression`` counts the jobs by state. ``best_f1`` and
    ``least_latency_ms`` are those of completed trials, not of one.
    """

    finished: int
    total: int
    best_f1: float | None
    least_latency_ms: float | None
    compression: dict[JobState, int]


class StudyView(BaseModel):
    id: str
    name: str
    state: StudyState
    phase: StudyPhase | None = Field(description="what it is at, null once it is over")
    reason: str | None
    spec: StudySpec
    progress: Progress
    job: str | None = Field(description="the Ray job of the present driver")
    dataset_id: str | None = Field(description="a hash of the images and their labels")
    classes: list[str] | None
    skipped: list[dict[str, str]] | None = Field(description="images that could not be used, each with its reason")
    resources: ResourcesSpec | None = Field(
        description="what each trial gets, once that has been chosen; null where the spec says it"
    )
    search_elapsed_s: float
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_event_id: int = Field(description="the events after this one tell of what has changed since")


class StudyLogs(BaseModel):
    """The end of what the Ray job of a study's present driver has printed; nothing where Ray no longer knows it."""

    job: str | None
    ray_url: str | None = Field(description="the job in Ray's dashboard, as the server reaches that")
    text: str


class BudgetPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    max_trials: int | None = Field(default=None, ge=1, le=1_000_000)
    max_minutes: float | None = Field(default=None, gt=0)


class StudyPatch(BaseModel):
    """What can be changed of a study: its budget, upwards."""

    model_config = ConfigDict(extra="forbid")

    budget: BudgetPatch


class CheckRequest(BaseModel):
    """A study as YAML or JSON, as it is being written."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=200_000)


class Estimate(BaseModel):
    """What ``trials`` earlier trials on the same data set suggest; networks of other sizes take longer or less."""

    trials: int
    epoch_s: float
    search_s: float
    core_hours: float
    gpu_hours: float


class StudyCheck(BaseModel):
    """``document`` is what the text says, ``networks`` in how many ways a network can be drawn; null where ``problems``
    are in the way. ``estimate`` is null also where no trial has been completed on its data set, and with
    ``resources: auto``.
    """

    document: Any
    problems: list[dict[str, str]]
    networks: float | None
    estimate: Estimate | None
