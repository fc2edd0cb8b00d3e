"""The objects that the client's methods return: the schemas of the API with methods that call the server.

An object holds the server's state as of the last call; ``refresh`` reads it again. A notebook displays it as a table.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from pydantic import BaseModel, PrivateAttr

from api.client import html
from api.client.errors import NotCompletedError, TargetError
from api.client.events import StudyEvent
from api.client.tables import Trials, Variants
from api.schemas import (
    ArtifactView,
    ParetoView,
    Prediction,
    Queued,
    StudyView,
    TrainingDetail,
    TrainingView,
    TrialDetail,
    TrialView,
    VariantDetail,
    VariantView,
)
from api.tabular import studies as study_rows
from api.tabular import trials as trial_rows
from api.tabular import variants as variant_rows
from search.contract.importance import Importance
from search.contract.metrics import MetricName
from search.contract.recipes import Recipe
from search.contract.states import JobState, StudyState

if TYPE_CHECKING:
    from pandas import DataFrame


class Operations(Protocol):
    """The methods of the client that the objects of this module call."""

    def get_study(self, study_id: str) -> "Study": ...

    def pause_study(self, study_id: str) -> "Study": ...

    def resume_study(self, study_id: str) -> "Study": ...

    def cancel_study(self, study_id: str) -> "Study": ...

    def delete_study(self, study_id: str) -> None: ...

    def extend_study(self, study_id: str, *, max_trials: int | None, max_minutes: float | None) -> "Study": ...

    def get_front(self, study_id: str) -> "Front": ...

    def get_importance(self, study_id: str, *, metric: MetricName) -> Importance: ...

    def stream_events(self, study_id: str, *, after: int) -> Generator[StudyEvent, None, None]: ...

    def iter_trials(self, *, study_id: str) -> "Iterator[Trial]": ...

    def get_trial(self, trial_id: str) -> "TrialInFull": ...

    def get_architecture(self, trial_id: str) -> str: ...

    def compress_trial(self, trial_id: str, recipe: str | Recipe) -> Queued: ...

    def train_trial(self, trial_id: str, *, epochs: int, seeds: int) -> "Training": ...

    def retry_trial(self, trial_id: str) -> "Study": ...

    def get_training(self, training_id: str) -> "TrainingInFull": ...

    def iter_variants(
        self, *, study_id: str | None = None, trial_id: str | None = None, runtime: str | None = None
    ) -> "Iterator[Variant]": ...

    def get_variant(self, variant_id: str) -> "VariantInFull": ...

    def predict(self, variant_id: str, image: bytes) -> Prediction: ...

    def get_artifact(self, artifact: ArtifactView, path: Path) -> None: ...


class Bound(BaseModel):
    """An object of the API that was validated with its client as the context, as ``Calls`` does."""

    _client: Operations = PrivateAttr()

    def model_post_init(self, context: dict[str, Operations]) -> None:
        self._client = context["client"]

    def _take(self, present: BaseModel) -> Self:
        """Copy every field of ``present``."""
        for name in type(self).model_fields:
            setattr(self, name, getattr(present, name))
        return self


class Variant(Bound, VariantView):
    """A deployable model."""

    def refresh(self) -> "VariantInFull":
        """The variant with its confusion matrix."""
        return self._client.get_variant(self.id)

    def download(self, folder: Path | str | None = None) -> Path:
        """Make ``folder`` (named by the variant's id by default), as ``seedleaf fetch`` does, and return its path.

        It holds the model, its weights and architecture, a program that predicts with it and a model card. It is
        written whole, or not at all: TargetError if it exists already or cannot be written.
        """
        # Only this needs NumPy, Jinja and matplotlib.
        from api.client.download import download_bundle

        target = Path(self.id if folder is None else folder)
        try:
            download_bundle(self._client, self.id, target)
        except OSError as error:
            raise TargetError(f"{target} cannot be written: {error}") from error
        return target

    def predict(self, image: Path | str) -> Prediction:
        """The model's prediction for one image file, made on the server."""
        return self._client.predict(self.id, Path(image).read_bytes())

    def _repr_html_(self) -> str:
        return html.pairs(variant_rows.details(self))


class VariantInFull(Variant, VariantDetail):
    """A deployable model with its confusion matrix."""


class Trial(Bound, TrialView):
    """A trial: a candidate network with its results."""

    best_variant: Variant | None

    def refresh(self) -> "TrialInFull":
        """The trial as it is now, with its learning curve and its compression jobs."""
        return self._client.get_trial(self.id)

    def variants(self) -> Variants[Variant]:
        """The deployable models made from this trial, best score first."""
        return Variants(self._client.iter_variants(trial_id=self.id), self._client.get_front(self.study_id))

    def architecture(self) -> str:
        """Its network in the competition's format, YAML."""
        return self._client.get_architecture(self.id)

    def compress(self, recipe: str | Recipe) -> Queued:
        """Queue one more recipe: its name, or a recipe written out."""
        return self._client.compress_trial(self.id, recipe)

    def train(self, *, epochs: int = 30, seeds: int = 1) -> "Training":
        """Queue a full training of its candidate, on all the data."""
        return self._client.train_trial(self.id, epochs=epochs, seeds=seeds)

    def retry(self) -> "Study":
        """Run a trial that gave no result again, as a new trial of its study beyond the budget."""
        return self._client.retry_trial(self.id)

    def _repr_html_(self) -> str:
        return html.pairs(zip(trial_rows.HEADERS[1:], trial_rows.row(None, self)[1:], strict=True))


class TrialInFull(Trial, TrialDetail):
    """A trial with its learning curve, its confusion matrix and its compression jobs."""


class Training(Bound, TrainingView):
    """A full training of a candidate."""

    def wait(self, *, progress: bool = False) -> "TrainingInFull":
        """Wait until it ends, following the study's events. NotCompletedError if it failed or was cancelled."""
        from api.client.waiting import wait_for_training

        ended = wait_for_training(self._client, self.id, self.study_id, progress=progress)
        if ended.state is not JobState.COMPLETED:
            raise NotCompletedError(f"training {self.id}", ended.state, ended.reason)
        return ended


class TrainingInFull(Training, TrainingDetail):
    """A training with each seed's result and every epoch so far."""


class Front(Bound, ParetoView):
    """The non-dominated trials and models of a study."""

    items: list[Trial]  # type: ignore[assignment]

    def to_pandas(self) -> "DataFrame":
        """One row per trial of the front. MissingPackageError without pandas."""
        return Trials(self.items).to_pandas()

    def _repr_html_(self) -> str:
        return f"<p>hypervolume {self.hypervolume:.4g}</p>{Trials(self.items)._repr_html_()}"


class Study(Bound, StudyView):
    """A study, as of the last call."""

    def refresh(self) -> Self:
        """Read the study from the server again."""
        return self._take(self._client.get_study(self.id))

    def wait(self, *, progress: bool = False) -> Self:
        """Wait until it ends, following its events; ``progress`` shows bars in a terminal or notebook.

        NotCompletedError if it failed or was cancelled.
        """
        from api.client.waiting import wait_for_study

        self._take(wait_for_study(self._client, self.id, progress=progress))
        if self.state is not StudyState.COMPLETED:
            raise NotCompletedError(f"study {self.id}", self.state, self.reason)
        return self

    def events(self, *, after: int = 0) -> Generator[StudyEvent, None, None]:
        """Its events later than the one with the id ``after``, then each new event, without end."""
        return self._client.stream_events(self.id, after=after)

    def front(self) -> Front:
        """The non-dominated trials, best F1 first, and their hypervolume."""
        return self._client.get_front(self.id)

    def trials(self) -> Trials[Trial]:
        """All its trials, best score first."""
        return Trials(self._client.iter_trials(study_id=self.id))

    def variants(self) -> Variants[Variant]:
        """All its deployable models, best score first."""
        return Variants(self._client.iter_variants(study_id=self.id), self.front())

    def importance(self, metric: MetricName = "f1") -> Importance:
        """Importance of each parameter and operation: what sets the best quarter of trials by ``metric`` apart."""
        return self._client.get_importance(self.id, metric=metric)

    def pause(self) -> Self:
        """Start no more trials; running trials finish."""
        return self._take(self._client.pause_study(self.id))

    def resume(self) -> Self:
        return self._take(self._client.resume_study(self.id))

    def cancel(self) -> Self:
        """End it for good, with its running trials and compression jobs."""
        return self._take(self._client.cancel_study(self.id))

    def delete(self) -> None:
        """Delete it with its trials, models and files, once it has ended. This cannot be undone."""
        self._client.delete_study(self.id)

    def extend(self, *, max_trials: int | None = None, max_minutes: float | None = None) -> Self:
        """Raise the budget to these totals; a study that has ended resumes its search."""
        return self._take(self._client.extend_study(self.id, max_trials=max_trials, max_minutes=max_minutes))

    def _repr_html_(self) -> str:
        return html.pairs(study_rows.details(self))
