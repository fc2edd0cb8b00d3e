"""Studies: their progress, budget, logs and checks."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from search.contract.history import as_history
from search.contract.states import JobState, StudyPhase, StudyState
from search.contract.weights import StartingWeights
from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec


class Progress(BaseModel):
    """How far a study is. ``best_f1`` and ``least_latency_ms`` may be of different trials."""

    finished: int = Field(description="How many trials have used up budget.")
    total: int = Field(description="How many trials the budget allows.")
    best_f1: float | None = Field(description="The best F1 of a completed trial; null before the first.")
    least_latency_ms: float | None = Field(
        description="The lowest latency of a completed trial, in ms; null before the first."
    )
    compression: dict[JobState, int] = Field(description="Counts of compression jobs by state.")


class KeyView(BaseModel):
    """Names an API key; never the key itself."""

    id: str | None = Field(description="The key's id; null for the operator's own key, SEEDLEAF_API_KEY.")
    name: str = Field(description="The key's name.")


class StudyView(BaseModel):
    """A study with its progress."""

    id: str = Field(description="The study's id.")
    name: str = Field(description="The study's name.")
    state: StudyState = Field(description="The study's state.")
    phase: StudyPhase | None = Field(description="The part of the work that it is at; null once it is over.")
    reason: str | None = Field(description="Why it failed or waits; null otherwise.")
    queue_position: int | None = Field(
        default=None,
        description="Its place among the studies that wait for their search to start, 1 for the one that has waited "
        "longest; null if it does not wait.",
    )
    spec: Annotated[StudySpec, as_history(StudySpec)] = Field(
        description="The study as it was posted, with defaults filled in."
    )
    progress: Progress = Field(description="How far it is.")
    job: str | None = Field(description="The Ray job of the present driver; null if there is none.")
    dataset_id: str | None = Field(description="A hash of the images and their labels; null until they were read.")
    classes: list[str] | None = Field(description="The names of the classes; null until the images were read.")
    skipped: list[dict[str, str]] | None = Field(
        description="The first 20 images that could not be used, each with its reason; null until the images were"
        " read. The check of the data set names all."
    )
    skipped_count: int | None = Field(
        default=None, description="How many images could not be used; null until the images were read."
    )
    resources: Annotated[ResourcesSpec, as_history(ResourcesSpec)] | None = Field(
        description="The resources of each trial, once they were chosen; null if the spec sets them."
    )
    weights: list[StartingWeights] = Field(
        default=[], description="The pretrained weights that its networks may start from, as found when it was posted."
    )
    search_elapsed_s: float = Field(description="Seconds of search so far, without pauses.")
    test_looks: int = Field(
        default=0,
        description="How many times models were scored on the test split: once when the study ends, once more for "
        "each full training after that.",
    )
    test_reason: str | None = Field(
        default=None,
        description="Why the models of the last scoring, or some of them, have no score on the test split; null "
        "otherwise.",
    )
    teacher_trial_id: str | None = Field(
        default=None,
        description="The trial whose answers later trials may learn from; null before it has ended, and where a file or"
        " nothing teaches.",
    )
    created_by: KeyView | None = Field(default=None, description="The key that posted it; null without a key.")
    changed_by: KeyView | None = Field(
        default=None,
        description="The key that last paused, resumed or extended it, ran one of its trials again, or queued a "
        "compression or a training; null without a key.",
    )
    cancelled_by: KeyView | None = Field(default=None, description="The key that cancelled it; null without a key.")
    created_at: datetime = Field(description="When it was posted.")
    started_at: datetime | None = Field(description="When its search started; null before.")
    finished_at: datetime | None = Field(description="When it ended; null before.")
    last_event_id: int = Field(description="The id of its latest event: later events report later changes.")


class StudyLogs(BaseModel):
    """The end of the log of a study's present Ray job."""

    job: str | None = Field(description="The Ray job; null if there is none.")
    ray_url: str | None = Field(description="The job in Ray's dashboard, as the server reaches it; null without a job.")
    text: str = Field(description="The last lines that the job printed; empty if Ray no longer has its log.")


class BudgetPatch(BaseModel):
    """New totals of a budget; both must be at least the present ones."""

    model_config = ConfigDict(extra="forbid")

    max_trials: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Trials in total; unchanged by default."
    )
    max_minutes: float | None = Field(
        default=None, gt=0, description="Minutes of search in total; unchanged by default."
    )


class StudyPatch(BaseModel):
    """A change to a study: only its budget can be raised."""

    model_config = ConfigDict(extra="forbid")

    budget: BudgetPatch = Field(description="The new totals.")


class CheckRequest(BaseModel):
    """A study that is being written."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=200_000, description="The study as YAML or JSON; at most 200,000 characters.")


class Estimate(BaseModel):
    """How long a study may take, from earlier trials on the same data set. Larger networks take longer."""

    trials: int = Field(description="How many earlier trials the estimate is based on.")
    epoch_s: float = Field(description="The median duration of one epoch, in seconds.")
    search_s: float = Field(description="The estimated duration of the search, in seconds.")
    core_hours: float = Field(description="The estimated CPU use, in core-hours.")
    gpu_hours: float = Field(description="The estimated GPU use, in GPU-hours.")


class StudyCheck(BaseModel):
    """The result of checking a study that is being written."""

    document: object = Field(description="The parsed text; null if it cannot be parsed.")
    problems: list[dict[str, str]] = Field(
        description="Every error in the text, as `field` (its path) and `message`; empty for a valid study."
    )
    networks: float | None = Field(
        description="How many networks the space holds; null if there are problems, or too many networks to count."
    )
    estimate: Estimate | None = Field(
        description="How long the study may take; null if there are problems, before the first completed trial on its "
        "data set, and with `resources: auto`."
    )
