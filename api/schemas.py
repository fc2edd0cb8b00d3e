"""The shapes that HTTP answers with. Ids are opaque strings; times are UTC, ISO 8601; units are in the names."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from search.candidate import Candidate
from search.dataset import DatasetSpec
from search.dataset_report import DatasetReport
from search.recipes import NamedRecipe, Recipe, Step
from search.spec import StudySpec
from search.states import JobState, StudyPhase, StudyState, TrialState

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A list; ``next`` is the cursor of what follows, or null."""

    items: list[T]
    next: str | None


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


class ResourceView(BaseModel):
    """What a node offers of a resource; ``used`` is null until it has reported."""

    total: float
    used: float | None


class NodeView(BaseModel):
    """A node of the Ray cluster with what matters to a study: CPU, GPU, benchmark_slot (what times) and compression
    (recipes at a time).
    """

    id: str
    name: str
    is_head: bool
    resources: dict[str, ResourceView]


class ClusterView(BaseModel):
    """``queues`` counts studies, compression_jobs, trainings and dataset_checks by state."""

    ray_url: str = Field(description="Ray's dashboard, as the server reaches it")
    nodes: list[NodeView]
    queues: dict[str, dict[str, int]]


class DatasetSummary(BaseModel):
    """A registered data set. ``id`` is the registration's; ``dataset_id`` is known when it has been checked."""

    id: str
    state: JobState
    reason: str | None
    spec: DatasetSpec
    dataset_id: str | None = Field(description="a hash of the images and their labels, as studies name it")
    created_at: datetime
    finished_at: datetime | None


class DatasetView(DatasetSummary):
    report: DatasetReport | None = Field(description="what was found, once the state is COMPLETED")


class ArtifactView(BaseModel):
    id: str
    kind: str
    sha256: str
    size_bytes: int


class VariantView(BaseModel):
    """A deployable model. ``latency`` tells how it was measured; ``host`` where: never compare across hosts."""

    id: str
    trial_id: str
    trial_number: int
    study_id: str
    recipe: str
    steps: list[dict[str, Any]]
    runtime: str
    host: str
    metrics: dict[str, float]
    parity_error: float | None
    agreement: float | None
    latency: dict[str, Any]
    artifacts: list[ArtifactView]
    created_at: datetime


class VariantDetail(VariantView):
    """``per_class_f1`` and ``confusion`` (rows the true class) of the file itself, in the order of the study's classes;
    null for variants that were made before these were kept. ``training_id`` is the training in full whose weights it
    was made from, null for those of the search.
    """

    training_id: str | None
    per_class_f1: list[float] | None
    confusion: list[list[int]] | None


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


class EpochView(BaseModel):
    epoch: int
    loss: float
    f1: float
    accuracy: float
    elapsed_s: float


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


class SeedEpochView(EpochView):
    seed: int


class TrainingDetail(TrainingView):
    runs: list[RunView]
    curves: list[SeedEpochView]


class LayerView(BaseModel):
    """A line of the backbone: the ``shape`` (channels, height, width) that it gives, and its costs for one image."""

    shape: list[int]
    macs: int
    params: int


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


class PointView(BaseModel):
    """A completed trial in a chart."""

    id: str
    number: int
    state: TrialState
    host: str | None
    metrics: dict[str, float]
    parameters: dict[str, Any]


class GrowthView(BaseModel):
    """The hypervolume once the trials up to ``number`` were completed."""

    number: int
    hypervolume: float


class PointsView(BaseModel):
    """A study for a chart: of ``total`` completed trials those that shape it. ``hypervolume`` is that of its first two
    objectives, bounded by a point just beyond the worst trial.
    """

    items: list[PointView]
    total: int
    hypervolume: list[GrowthView]


class TypicalEpoch(BaseModel):
    """The quartiles of f1 after an epoch, over the ``trials`` that were completed and told of it."""

    epoch: int
    lower_f1: float
    median_f1: float
    upper_f1: float
    trials: int


class TypicalCurve(BaseModel):
    """How the completed trials of a study learned."""

    epochs: list[TypicalEpoch]


class VariantFront(BaseModel):
    """The variants of one host and runtime that no other dominates in F1 and latency, best F1 first, and the picks.

    Ids of variants: ``recommended`` is the fastest within a point of the best F1, ``ties`` those beside it whose
    latency's interval overlaps with its own, ``knee`` where giving up F1 begins to buy little speed (null where the
    front does not bend), ``best_score`` has the lowest score (null on another target than the study's).
    """

    host: str
    runtime: str
    items: list[VariantView]
    recommended: str
    ties: list[str]
    knee: str | None
    best_score: str | None


class ParetoView(BaseModel):
    """The front of a study's completed trials; ``hypervolume`` is bounded by ``reference``, both by objective.

    ``variants`` are the fronts of its deployable models, one for each host and runtime: never compare across these.
    ``recommended`` is the variant to ship: that of the target's front, null where there is none or more than one.
    """

    items: list[TrialView]
    hypervolume: float
    reference: dict[str, float]
    variants: list[VariantFront]
    recommended: str | None


class BudgetPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    max_trials: int | None = Field(default=None, ge=1, le=1_000_000)
    max_minutes: float | None = Field(default=None, gt=0)


class StudyPatch(BaseModel):
    """What can be changed of a study: its budget, upwards."""

    model_config = ConfigDict(extra="forbid")

    budget: BudgetPatch


class RecipeView(BaseModel):
    """A recipe that can be asked for by its name; ``is_default`` where a study applies it unless it lists others."""

    name: str
    description: str
    is_default: bool
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, named: NamedRecipe) -> "RecipeView":
        recipe = named.recipe
        return cls(name=recipe.name, description=named.description, is_default=named.is_default, steps=recipe.steps)


class Prediction(BaseModel):
    """What a model says of one picture: a probability for each class. ``latency_ms`` is the median of some runs on the
    server's own machine, beside whatever else it does: to compare models, look at the variants' own.
    """

    probabilities: dict[str, float]
    latency_ms: float


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
    are in the way. ``estimate`` is null also where no trial has been completed on its data set.
    """

    document: Any
    problems: list[dict[str, str]]
    networks: float | None
    estimate: Estimate | None


class CompressRequest(BaseModel):
    """A recipe's name (GET /recipes lists them), or a recipe written out."""

    model_config = ConfigDict(extra="forbid")

    recipe: str | Recipe


class TrainRequest(BaseModel):
    """``epochs`` of each of ``seeds`` trainings from fresh weights, over the whole training split."""

    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(default=30, ge=1, le=10_000)
    seeds: int = Field(default=1, ge=1, le=20)


class Queued(BaseModel):
    id: str
    state: JobState


class Problem(BaseModel):
    """RFC 9457 problem details; ``errors`` names each field that is wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []
