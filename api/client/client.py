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
from search.contract.importance import Importance
from search.contract.metrics import MetricName
from search.contract.recipes import Recipe
from search.contract.states import StudyState, TrialState
from search.study.spec import StudySpec

Order = Literal["asc", "desc"]


class Client(Calls, Operations):
    """A client of the server at ``url``; by default at SEEDLEAF_URL, else on this machine.

    ``key`` is sent as the bearer token; by default SEEDLEAF_API_KEY, else none. Every method may raise a SeedleafError:
    see ``api.client.errors``. Requests that change nothing are retried a few times; others are sent once. Close it, or
    use it in a ``with`` block.
    """

    def create_study(self, spec: StudySpec, *, idempotency_key: str | None = None) -> Study:
        """Queue a study. A repeated call with the same idempotency key returns the same study."""
        headers = None if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return self._send(Study, "POST", "/studies", spec, headers)

    def check_study(self, text: str) -> StudyCheck:
        """Check a study that is being written, as YAML or JSON: its errors, or an estimate of its duration."""
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
        """Start no more trials; running trials finish."""
        return self._send(Study, "POST", path_of("studies", study_id, "pause"))

    def resume_study(self, study_id: str) -> Study:
        return self._send(Study, "POST", path_of("studies", study_id, "resume"))

    def cancel_study(self, study_id: str) -> Study:
        """End a study for good, with its running trials and compression jobs."""
        return self._send(Study, "POST", path_of("studies", study_id, "cancel"))

    def delete_study(self, study_id: str) -> None:
        """Delete a study that has ended, with its trials, models and files. A second call changes nothing."""
        self._delete(path_of("studies", study_id))

    def extend_study(self, study_id: str, *, max_trials: int | None = None, max_minutes: float | None = None) -> Study:
        """Raise the budget to these totals; a study that has ended resumes its search."""
        patch = StudyPatch(budget=BudgetPatch(max_trials=max_trials, max_minutes=max_minutes))
        return self._send(Study, "PATCH", path_of("studies", study_id), patch)

    def get_logs(self, study_id: str) -> StudyLogs:
        """The end of the log of a study's Ray job, and its URL in Ray's dashboard."""
        return self._get(StudyLogs, path_of("studies", study_id, "logs"))

    def get_front(self, study_id: str) -> Front:
        """The non-dominated trials with their hypervolume, and the fronts of the variants."""
        return self._get(Front, path_of("studies", study_id, "pareto"))

    def get_curve(self, study_id: str) -> TypicalCurve:
        """The typical learning curve of the study's completed trials: quartiles of F1 after each epoch."""
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
        """The study as a chart: its completed trials, or about ``most`` of them that determine its shape, each with the
        value of every ``parameter``.
        """
        query = {"x": x, "y": y, "most": most, "parameter": list(parameter)}
        return self._get(PointsView, path_of("studies", study_id, "points"), **query)

    def get_importance(self, study_id: str, *, metric: MetricName = "f1") -> Importance:
        """Importance of each parameter and operation: what sets the best quarter of trials by ``metric`` apart."""
        return self._get(Importance, path_of("studies", study_id, "importance"), metric=metric)

    def stream_events(self, study_id: str, *, after: int = 0) -> Generator[StudyEvent, None, None]:
        """The study's events later than the one with the id ``after``, then each new event, without end.

        A broken connection is resumed at the same event; ServerUnreachableError after a minute without one.
        """
        return self._connection.events(path_of("studies", study_id, "events"), after=after)

    def create_dataset(self, spec: DatasetSpec) -> DatasetView:
        """Register a data set and queue its check."""
        return self._send(DatasetView, "POST", "/datasets", spec)

    def get_dataset(self, dataset_id: str) -> DatasetView:
        """A data set with its report, by the id of its registration or the hash of its content."""
        return self._get(DatasetView, path_of("datasets", dataset_id))

    def cancel_dataset(self, dataset_id: str) -> DatasetView:
        """End the check of a data set that is queued or running, by the id of its registration."""
        return self._send(DatasetView, "POST", path_of("datasets", dataset_id, "cancel"))

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
        """One page of the leaderboard: trials with their best variants. ``sort``: a metric or ``number``.

        Trials match every condition in ``where``, such as ``f1>=0.8`` or ``params<=100000``.
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
        """Every trial of the leaderboard, page by page."""
        filters = {"study_id": study_id, "state": state, "where": list(where), "sort": sort, "order": order}
        return self._every(Page[Trial], "/trials", **filters)

    def get_trial(self, trial_id: str) -> TrialInFull:
        """A trial with its learning curve and its compression jobs."""
        return self._get(TrialInFull, path_of("trials", trial_id))

    def get_architecture(self, trial_id: str) -> str:
        """A trial's network in the competition's format, YAML."""
        return self._text(path_of("trials", trial_id, "model.yaml"))

    def get_cluster(self) -> ClusterView:
        """The nodes of the Ray cluster with their resources, and the queues of work."""
        return self._get(ClusterView, "/cluster")

    def list_recipes(self) -> Page[RecipeView]:
        """The named recipes, on one page."""
        return self._get(Page[RecipeView], "/recipes")

    def compress_trial(self, trial_id: str, recipe: str | Recipe) -> Queued:
        """Queue one more recipe for a completed trial: its name, or a recipe written out."""
        return self._send(Queued, "POST", path_of("trials", trial_id, "compress"), CompressRequest(recipe=recipe))

    def train_trial(self, trial_id: str, *, epochs: int = 30, seeds: int = 1) -> Training:
        """Queue a full training of a trial's candidate, on all the data."""
        request = TrainRequest(epochs=epochs, seeds=seeds)
        return self._send(Training, "POST", path_of("trials", trial_id, "train"), request)

    def get_training(self, training_id: str) -> TrainingInFull:
        """A training with each seed's result and every epoch so far."""
        return self._get(TrainingInFull, path_of("trainings", training_id))

    def retry_trial(self, trial_id: str) -> Study:
        """Run a trial that gave no result again, as a new trial beyond the budget."""
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
        """A model's prediction for one image, given as the bytes of an image file."""
        return self._read(Prediction, self._connection.upload(path_of("variants", variant_id, "predict"), image))

    def get_artifact(self, artifact: ArtifactView, path: Path) -> None:
        """Write an artifact's file to ``path``, whole and with the right SHA-256, or not at all."""
        self._connection.download(path_of("artifacts", artifact.id), path, sha256=artifact.sha256)

    def healthz(self) -> str:
        """``ok`` if the server's process responds."""
        return self._text("/healthz")

    def readyz(self) -> str:
        """``ready`` if its database responds too, else ServerFailedError."""
        return self._text("/readyz")

    def metrics(self) -> str:
        """Prometheus metrics, in its text format."""
        return self._text("/metrics")
