"""Client: a typed method for each endpoint of the service."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from api.client.connection import Connection
from api.client.errors import ServerFailedError
from api.client.events import StudyEvent
from api.schemas import (
    ArtifactView,
    BudgetPatch,
    CompressRequest,
    DatasetSummary,
    DatasetView,
    Page,
    ParetoView,
    Queued,
    StudyPatch,
    StudyView,
    TrainingDetail,
    TrainingView,
    TrainRequest,
    TrialDetail,
    TrialView,
    VariantView,
)
from search.dataset import DatasetSpec
from search.importance import Importance
from search.metrics import MetricName
from search.recipes import Recipe
from search.spec import StudySpec
from search.states import StudyState, TrialState

M = TypeVar("M", bound=BaseModel)
Order = Literal["asc", "desc"]
DEFAULT_URL = "http://127.0.0.1:8000"
_PAGE = 200


class Client:
    """Talks to the server at ``url``, else at SEEDLEAF_URL, else on this machine.

    ``key`` is sent as the bearer token, else SEEDLEAF_API_KEY, else none. Every method raises a SeedleafError: see
    ``api.client.errors``. Requests that change nothing are tried again a few times; the others are sent once. To be
    closed, or used in a ``with`` block.
    """

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        self._connection = Connection(
            url or os.environ.get("SEEDLEAF_URL") or DEFAULT_URL, key or os.environ.get("SEEDLEAF_API_KEY")
        )

    @property
    def url(self) -> str:
        return self._connection.url

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def create_study(self, spec: StudySpec, *, idempotency_key: str | None = None) -> StudyView:
        """Queue a study. Sent again with the same key, it gives the same study again."""
        headers = None if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        body = spec.model_dump(mode="json")
        return self._read(StudyView, self._connection.send("POST", "/studies", body, headers))

    def list_studies(
        self, *, state: StudyState | None = None, cursor: str | None = None, limit: int = _PAGE
    ) -> Page[StudyView]:
        """One page of studies, newest first."""
        return self._get(Page[StudyView], "/studies", state=state, cursor=cursor, limit=limit)

    def iter_studies(self, *, state: StudyState | None = None) -> Iterator[StudyView]:
        """Every study, newest first, page by page."""
        return self._every(Page[StudyView], "/studies", state=state)

    def get_study(self, study_id: str) -> StudyView:
        return self._get(StudyView, _path("studies", study_id))

    def pause_study(self, study_id: str) -> StudyView:
        """Start no more trials; those that run go on to their end."""
        return self._post(StudyView, _path("studies", study_id, "pause"))

    def resume_study(self, study_id: str) -> StudyView:
        return self._post(StudyView, _path("studies", study_id, "resume"))

    def cancel_study(self, study_id: str) -> StudyView:
        """End a study for good, its running trials and its compression with it."""
        return self._post(StudyView, _path("studies", study_id, "cancel"))

    def extend_study(
        self, study_id: str, *, max_trials: int | None = None, max_minutes: float | None = None
    ) -> StudyView:
        """Raise the budget to these totals; a study that has ended searches on."""
        patch = StudyPatch(budget=BudgetPatch(max_trials=max_trials, max_minutes=max_minutes))
        body = patch.model_dump(mode="json", exclude_none=True)
        return self._read(StudyView, self._connection.send("PATCH", _path("studies", study_id), body))

    def get_pareto(self, study_id: str) -> ParetoView:
        """The trials that no other dominates, and their hypervolume."""
        return self._get(ParetoView, _path("studies", study_id, "pareto"))

    def get_importance(self, study_id: str, *, metric: MetricName = "f1") -> Importance:
        """What the best quarter of the trials by a metric share: the importance of every parameter and operation."""
        return self._get(Importance, _path("studies", study_id, "importance"), metric=metric)

    def create_dataset(self, spec: DatasetSpec) -> DatasetView:
        """Register a data set and have it checked."""
        return self._read(DatasetView, self._connection.send("POST", "/datasets", spec.model_dump(mode="json")))

    def get_dataset(self, dataset_id: str) -> DatasetView:
        """What is known of a data set, by the id of its registration or the hash of its content."""
        return self._get(DatasetView, _path("datasets", dataset_id))

    def list_datasets(self, *, cursor: str | None = None, limit: int = _PAGE) -> Page[DatasetSummary]:
        """One page of the registered data sets, newest first, without their reports."""
        return self._get(Page[DatasetSummary], "/datasets", cursor=cursor, limit=limit)

    def events(self, study_id: str, *, after: int = 0) -> Generator[StudyEvent, None, None]:
        """The study's events later than the one with the id ``after``, then each as it happens, without end.

        A connection that breaks is taken up again where it was; ServerUnreachableError after a minute without one.
        """
        return self._connection.events(_path("studies", study_id, "events"), after=after)

    def list_trials(
        self,
        *,
        study_id: str | None = None,
        state: TrialState | None = None,
        sort: str = "score",
        order: Order = "asc",
        cursor: str | None = None,
        limit: int = _PAGE,
    ) -> Page[TrialView]:
        """One page of the leaderboard: a row a trial, with its best variant. ``sort``: a metric or ``number``."""
        filters = {"study_id": study_id, "state": state, "sort": sort, "order": order}
        return self._get(Page[TrialView], "/trials", **filters, cursor=cursor, limit=limit)

    def iter_trials(
        self,
        *,
        study_id: str | None = None,
        state: TrialState | None = None,
        sort: str = "score",
        order: Order = "asc",
    ) -> Iterator[TrialView]:
        """Every row of the leaderboard, page by page."""
        return self._every(Page[TrialView], "/trials", study_id=study_id, state=state, sort=sort, order=order)

    def get_trial(self, trial_id: str) -> TrialDetail:
        """A trial with its learning curve and its compression jobs."""
        return self._get(TrialDetail, _path("trials", trial_id))

    def get_architecture(self, trial_id: str) -> str:
        """A trial's network in the competition's format, YAML."""
        return self._connection.get(_path("trials", trial_id, "model.yaml"), {}).decode()

    def compress_trial(self, trial_id: str, recipe: str | Recipe) -> Queued:
        """Queue one more recipe for a completed trial: a default one's name, or a recipe written out."""
        body = CompressRequest(recipe=recipe).model_dump(mode="json")
        return self._read(Queued, self._connection.send("POST", _path("trials", trial_id, "compress"), body))

    def train_trial(self, trial_id: str, *, epochs: int = 30, seeds: int = 1) -> TrainingView:
        """Have a trial's candidate trained in full, on all the data."""
        body = TrainRequest(epochs=epochs, seeds=seeds).model_dump(mode="json")
        return self._read(TrainingView, self._connection.send("POST", _path("trials", trial_id, "train"), body))

    def get_training(self, training_id: str) -> TrainingDetail:
        """A training with each seed's result and every epoch so far."""
        return self._get(TrainingDetail, _path("trainings", training_id))

    def retry_trial(self, trial_id: str) -> StudyView:
        """Run a trial that gave no result once more, as a new trial beyond the budget."""
        return self._post(StudyView, _path("trials", trial_id, "retry"))

    def list_variants(
        self,
        *,
        study_id: str | None = None,
        trial_id: str | None = None,
        runtime: str | None = None,
        sort: str = "score",
        order: Order = "asc",
        cursor: str | None = None,
        limit: int = _PAGE,
    ) -> Page[VariantView]:
        """One page of deployable models."""
        filters = {"study_id": study_id, "trial_id": trial_id, "runtime": runtime, "sort": sort, "order": order}
        return self._get(Page[VariantView], "/variants", **filters, cursor=cursor, limit=limit)

    def iter_variants(
        self,
        *,
        study_id: str | None = None,
        trial_id: str | None = None,
        runtime: str | None = None,
        sort: str = "score",
        order: Order = "asc",
    ) -> Iterator[VariantView]:
        """Every deployable model, page by page."""
        filters = {"study_id": study_id, "trial_id": trial_id, "runtime": runtime, "sort": sort, "order": order}
        return self._every(Page[VariantView], "/variants", **filters)

    def get_variant(self, variant_id: str) -> VariantView:
        return self._get(VariantView, _path("variants", variant_id))

    def download(self, artifact: ArtifactView, path: Path) -> None:
        """Write an artifact's file to ``path``: whole, with the artifact's sha256, or not at all."""
        self._connection.download(_path("artifacts", artifact.id), path, sha256=artifact.sha256)

    def _get(self, model: type[M], path: str, **params: Any) -> M:
        return self._read(model, self._connection.get(path, params))

    def _post(self, model: type[M], path: str) -> M:
        return self._read(model, self._connection.send("POST", path))

    def _every(self, model: type[Page[M]], path: str, **filters: Any) -> Iterator[M]:
        cursor: str | None = None
        while True:
            page = self._get(model, path, **filters, cursor=cursor, limit=_PAGE)
            yield from page.items
            cursor = page.next
            if cursor is None:
                return

    def _read(self, model: type[M], body: bytes) -> M:
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            raise ServerFailedError(
                f"the answer of {self.url} cannot be read: is it a Seedleaf server of this version?"
            ) from error


def _path(*parts: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)
