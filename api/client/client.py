"""Client: a typed method for each operation of the service, named like it in /openapi.json."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Literal

from api.client.calls import PAGE, Calls, path_of
from api.client.events import StudyEvent
from api.client.resources import (
    Front,
    Operations,
    Study,
    Training,
    TrainingInFull,
    Trial,
    TrialInFull,
    Variant,
    VariantInFull,
)
from api.schemas import (
    ArtifactView,
    BudgetPatch,
    CheckRequest,
    ClusterView,
    CompressRequest,
    DatasetSummary,
    DatasetView,
    Page,
    PointsView,
    Prediction,
    Queued,
    RecipeView,
    StudyCheck,
    StudyLogs,
    StudyPatch,
    TrainRequest,
    TypicalCurve,
)
from search.contract.dataset import DatasetSpec
from search.contract.metrics import MetricName
from search.contract.recipes import Recipe
from search.contract.states import StudyState, TrialState
from search.study.importance import Importance
from search.study.spec import StudySpec

Order = Literal["asc", "desc"]


class Client(Calls, Operations):
    """Talks to the server at ``url``, else at SEEDLEAF_URL, else on this machine.

    ``key`` is sent as the bearer token, else SEEDLEAF_API_KEY, else none. Every method raises a SeedleafError: see
    ``api.client.errors``. Requests that change nothing are tried again a few times; the others are sent once. To be
    closed, or used in a ``with`` block.
    """

    def create_study(self, spec: StudySpec, *, idempotency_key: str | None = None) -> Study:
        """Queue a study. Sent again with the same key, it gives the same study again."""
        headers = None if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return self._send(Study, "POST", "/studies", spec, headers)

    def check_study(self, text: str) -> StudyCheck:
        """Look at a study that is being written, as YAML or JSON: its mistakes, and about how long it takes."""
        return self._send(StudyCheck, "POST", "/studies/check", CheckRequest(text=text))

    def list_studies(
        self, *, state: StudyState | None = None, cursor: str | None = None, limit: int = PAGE
    ) -> Page[Study]:
        """One page of studies, newest first."""
        return self._get(Page[Study], "/studies", state=state, cursor=cursor, limit=limit)

    def iter_studies(self, *, state: StudyState | None = None) -> Iterator[Study]:
        """Every study, newest first, page by page."""
        return self._every(Page[Study], "/studies", state=state)

    def get_study(self, study_id: str) -> Study:
        return self._get(Study, path_of("studies", study_id))

    def pause_study(self, study_id: str) -> Study:
        """Start no more trials; those that run go on to their end."""
        return self._send(Study, "POST", path_of("studies", study_id, "pause"))

    def resume_study(self, study_id: str) -> Study:
        return self._send(Study, "POST", path_of("studies", study_id, "resume"))

    def cancel_study(self, study_id: str) -> Study:
        """End a study for good, its running trials and its compression with it."""
        return self._send(Study, "POST", path_of("studies", study_id, "cancel"))

    def extend_study(self, study_id: str, *, max_trials: int | None = None, max_minutes: float | None = None) -> Study:
        """Raise the budget to these totals; a study that has ended searches on."""
        patch = StudyPatch(budget=BudgetPatch(max_trials=max_trials, max_minutes=max_minutes))
        return self._send(Study, "PATCH", path_of("studies", study_id), patch)

    def get_logs(self, study_id: str) -> StudyLogs:
        """The end of the log of a study's Ray job, and where Ray's dashboard shows it."""
        return self._get(StudyLogs, path_of("studies", study_id, "logs"))

    def get_front(self, study_id: str) -> Front:
        """The trials that no other dominates, and their hypervolume."""
        return self._get(Front, path_of("studies", study_id, "pareto"))

    def get_curve(self, study_id: str) -> TypicalCurve:
        """How the study's completed trials learned: the quartiles of f1 after each epoch."""
        return self._get(TypicalCurve, path_of("studies", study_id, "curve"))

    def get_points(
        self,
        study_id: str,
        *,
        x: MetricName = "latency_ms",
        y: MetricName = "f1",
        most: int = 2000,
        parameter: Sequence[str] = (),
    ) -> PointsView:
        """The study for a chart: all its completed trials, or about ``most`` of them that shape the picture; with the
        values of each ``parameter``.
        """
        query = {"x": x, "y": y, "most": most, "parameter": list(parameter)}
        return self._get(PointsView, path_of("studies", study_id, "points"), **query)

    def get_importance(self, study_id: str, *, metric: MetricName = "f1") -> Importance:
        """What the best quarter of the trials by a metric share: the importance of every parameter and operation."""
        return self._get(Importance, path_of("studies", study_id, "importance"), metric=metric)

    def stream_events(self, study_id: str, *, after: int = 0) -> Generator[StudyEvent, None, None]:
        """The study's events later than the one with the id ``after``, then each as it happens, without end.

        A connection that breaks is taken up again where it was; ServerUnreachableError after a minute without one.
        """
        return self._connection.events(path_of("studies", study_id, "events"), after=after)

    def create_dataset(self, spec: DatasetSpec) -> DatasetView:
        """Register a data set and have it checked."""
        return self._send(DatasetView, "POST", "/datasets", spec)

    def get_dataset(self, dataset_id: str) -> DatasetView:
        """What is known of a data set, by the id of its registration or the hash of its content."""
        return self._get(DatasetView, path_of("datasets", dataset_id))

    def list_datasets(self, *, cursor: str | None = None, limit: int = PAGE) -> Page[DatasetSummary]:
        """One page of the registered data sets, newest first, without their reports."""
        return self._get(Page[DatasetSummary], "/datasets", cursor=cursor, limit=limit)

    def list_trials(
        self,
        *,
        study_id: str | None = None,
        state: TrialState | None = None,
        where: Sequence[str] = (),
        sort: str = "score",
        order: Order = "asc",
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> Page[Trial]:
        """One page of the leaderboard: a row a trial, with its best variant. ``sort``: a metric or ``number``.

        Rows match everything in ``where``, each a metric at least or at most a number: ``f1>=0.8``, ``params<=100000``.
        """
        filters = {"study_id": study_id, "state": state, "where": list(where), "sort": sort, "order": order}
        return self._get(Page[Trial], "/trials", **filters, cursor=cursor, limit=limit)

    def iter_trials(
        self,
        *,
        study_id: str | None = None,
        state: TrialState | None = None,
        where: Sequence[str] = (),
        sort: str = "score",
        order: Order = "asc",
    ) -> Iterator[Trial]:
        """Every row of the leaderboard, page by page."""
        filters = {"study_id": study_id, "state": state, "where": list(where), "sort": sort, "order": order}
        return self._every(Page[Trial], "/trials", **filters)

    def get_trial(self, trial_id: str) -> TrialInFull:
        """A trial with its learning curve and its compression jobs."""
        return self._get(TrialInFull, path_of("trials", trial_id))

    def get_architecture(self, trial_id: str) -> str:
        """A trial's network in the competition's format, YAML."""
        return self._text(path_of("trials", trial_id, "model.yaml"))

    def get_cluster(self) -> ClusterView:
        """The nodes of the Ray cluster with their slots, and how much waits for them."""
        return self._get(ClusterView, "/cluster")

    def list_recipes(self) -> Page[RecipeView]:
        """The recipes that have a name, on one page."""
        return self._get(Page[RecipeView], "/recipes")

    def compress_trial(self, trial_id: str, recipe: str | Recipe) -> Queued:
        """Queue one more recipe for a completed trial: the name of one, or a recipe written out."""
        return self._send(Queued, "POST", path_of("trials", trial_id, "compress"), CompressRequest(recipe=recipe))

    def train_trial(self, trial_id: str, *, epochs: int = 30, seeds: int = 1) -> Training:
        """Have a trial's candidate trained in full, on all the data."""
        request = TrainRequest(epochs=epochs, seeds=seeds)
        return self._send(Training, "POST", path_of("trials", trial_id, "train"), request)

    def get_training(self, training_id: str) -> TrainingInFull:
        """A training with each seed's result and every epoch so far."""
        return self._get(TrainingInFull, path_of("trainings", training_id))

    def retry_trial(self, trial_id: str) -> Study:
        """Run a trial that gave no result once more, as a new trial beyond the budget."""
        return self._send(Study, "POST", path_of("trials", trial_id, "retry"))

    def list_variants(
        self,
        *,
        study_id: str | None = None,
        trial_id: str | None = None,
        runtime: str | None = None,
        where: Sequence[str] = (),
        sort: str = "score",
        order: Order = "asc",
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> Page[Variant]:
        """One page of deployable models; ``where`` as for trials."""
        filters = {"study_id": study_id, "trial_id": trial_id, "runtime": runtime, "where": list(where)}
        return self._get(Page[Variant], "/variants", **filters, sort=sort, order=order, cursor=cursor, limit=limit)

    def iter_variants(
        self,
        *,
        study_id: str | None = None,
        trial_id: str | None = None,
        runtime: str | None = None,
        where: Sequence[str] = (),
        sort: str = "score",
        order: Order = "asc",
    ) -> Iterator[Variant]:
        """Every deployable model, page by page."""
        filters = {"study_id": study_id, "trial_id": trial_id, "runtime": runtime, "where": list(where)}
        return self._every(Page[Variant], "/variants", **filters, sort=sort, order=order)

    def get_variant(self, variant_id: str) -> VariantInFull:
        """A deployable model with its scores by class."""
        return self._get(VariantInFull, path_of("variants", variant_id))

    def predict(self, variant_id: str, image: bytes) -> Prediction:
        """Try a model on one picture, an encoded image file."""
        return self._read(Prediction, self._connection.upload(path_of("variants", variant_id, "predict"), image))

    def get_artifact(self, artifact: ArtifactView, path: Path) -> None:
        """Write an artifact's file to ``path``: whole, with the artifact's sha256, or not at all."""
        self._connection.download(path_of("artifacts", artifact.id), path, sha256=artifact.sha256)

    def healthz(self) -> str:
        """``ok`` where the server's process answers."""
        return self._text("/healthz")

    def readyz(self) -> str:
        """``ready`` where its database answers too; ServerFailedError where it does not."""
        return self._text("/readyz")

    def metrics(self) -> str:
        """The figures that Prometheus scrapes, in its text format."""
        return self._text("/metrics")
