"""What the client's methods return: the shapes of the service, each knowing its client, so that it can act.

An object holds what the server said when it was asked; ``refresh`` asks again. In a notebook each shows itself.
"""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, PrivateAttr

from api.client import html
from api.client.errors import NotCompletedError, TargetError
from api.client.events import StudyEvent
from api.client.tables import Trials, Variants
from api.schemas import (
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
from search.contract.metrics import MetricName
from search.contract.recipes import Recipe
from search.contract.states import JobState, StudyState
from search.study.importance import Importance

if TYPE_CHECKING:
    from pandas import DataFrame

    from api.client.client import Client

#: How the files of a model are called, by their kinds. Weights that do not fit the architecture of their trial any
#: more, as compression has changed the network, are ``reshaped_weights``.
FILE_NAMES = {
    "onnx": "model.onnx",
    "program": "model.pt2",
    "weights": "weights.safetensors",
    "reshaped_weights": "weights.safetensors",
}


class Bound(BaseModel):
    """Validated with its client as the context, as ``Calls`` does."""

    _client: "Client" = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        self._client = context["client"]

    def _take(self, present: BaseModel) -> Self:
        """Become what ``present`` is."""
        for name in type(self).model_fields:
            setattr(self, name, getattr(present, name))
        return self


class Variant(Bound, VariantView):
    """A deployable model."""

    def refresh(self) -> "VariantInFull":
        """The variant with its confusion matrix."""
        return self._client.get_variant(self.id)

    def download(self, folder: Path | str | None = None) -> Path:
        """Make ``folder``, else one with the variant's id, as ``seedleaf fetch`` does, and return it.

        It holds the model, its weights and architecture, a program that uses it and a model card: all of it, or
        nothing. TargetError if it cannot be made, or exists already.
        """
        # Only this needs NumPy, Jinja and matplotlib.
        from api.bundle.folder import hand_out

        target = Path(self.id if folder is None else folder)
        try:
            hand_out(self._client, self.id, target)
        except OSError as error:
            raise TargetError(f"{target} cannot be written: {error}") from error
        return target

    def predict(self, image: Path | str) -> Prediction:
        """What it says of a picture, tried on the server."""
        return self._client.predict(self.id, Path(image).read_bytes())

    def _repr_html_(self) -> str:
        return html.pairs(variant_rows.details(self))


class VariantInFull(Variant, VariantDetail):
    """A deployable model with its confusion matrix."""


class Trial(Bound, TrialView):
    """A candidate and what it came to."""

    best_variant: Variant | None

    def refresh(self) -> "TrialInFull":
        """The trial as it is now, with its learning curve and its compression jobs."""
        return self._client.get_trial(self.id)

    def variants(self) -> Variants[Variant]:
        """The deployable models that were made of it, best score first."""
        return Variants(self._client.iter_variants(trial_id=self.id), self._client.get_front(self.study_id))

    def architecture(self) -> str:
        """Its network in the competition's format, YAML."""
        return self._client.get_architecture(self.id)

    def compress(self, recipe: str | Recipe) -> Queued:
        """Queue one more recipe: a default one's name, or a recipe written out."""
        return self._client.compress_trial(self.id, recipe)

    def train(self, *, epochs: int = 30, seeds: int = 1) -> "Training":
        """Have its candidate trained in full, on all the data."""
        return self._client.train_trial(self.id, epochs=epochs, seeds=seeds)

    def retry(self) -> "Study":
        """Run it once more, as a new trial of its study beyond the budget, where it gave no result."""
        return self._client.retry_trial(self.id)

    def _repr_html_(self) -> str:
        return html.pairs(zip(trial_rows.HEADERS[1:], trial_rows.row(None, self)[1:], strict=True))


class TrialInFull(Trial, TrialDetail):
    """A trial with its learning curve, its confusion matrix and its compression jobs."""


class Training(Bound, TrainingView):
    """A candidate that is trained in full."""

    def wait(self, *, progress: bool = False) -> "TrainingInFull":
        """Wait for its end, by the study's events. NotCompletedError if it failed or was cancelled."""
        from api.client.waiting import wait_for_training

        ended = wait_for_training(self._client, self.id, self.study_id, progress=progress)
        if ended.state is not JobState.COMPLETED:
            raise NotCompletedError(f"training {self.id}", ended.state, ended.reason)
        return ended


class TrainingInFull(Training, TrainingDetail):
    """A training with each seed's result and every epoch so far."""


class Front(Bound, ParetoView):
    """The trials and the models of a study that no other dominates."""

    items: list[Trial]  # type: ignore[assignment]

    def to_pandas(self) -> "DataFrame":
        """A row a trial of the front. MissingPackageError without pandas."""
        return Trials(self.items).to_pandas()

    def _repr_html_(self) -> str:
        return f"<p>hypervolume {self.hypervolume:.4g}</p>{Trials(self.items)._repr_html_()}"


class Study(Bound, StudyView):
    """A study, as it was when it was asked for."""

    def refresh(self) -> Self:
        """Ask the server how it stands."""
        return self._take(self._client.get_study(self.id))

    def wait(self, *, progress: bool = False) -> Self:
        """Wait for its end, by its events; with ``progress`` shown as the terminal or the notebook can.

        NotCompletedError if it failed or was cancelled.
        """
        from api.client.waiting import wait_for_study

        self._take(wait_for_study(self._client, self.id, progress=progress))
        if self.state is not StudyState.COMPLETED:
            raise NotCompletedError(f"study {self.id}", self.state, self.reason)
        return self

    def events(self, *, after: int = 0) -> Generator[StudyEvent, None, None]:
        """Its events later than the one with the id ``after``, then each as it happens, without end."""
        return self._client.stream_events(self.id, after=after)

    def front(self) -> Front:
        """The trials that no other dominates, best F1 first, and their hypervolume."""
        return self._client.get_front(self.id)

    def trials(self) -> Trials[Trial]:
        """All its trials, best score first."""
        return Trials(self._client.iter_trials(study_id=self.id))

    def variants(self) -> Variants[Variant]:
        """All its deployable models, best score first."""
        return Variants(self._client.iter_variants(study_id=self.id), self.front())

    def importance(self, metric: MetricName = "f1") -> Importance:
        """What the best quarter of the trials by a metric share."""
        return self._client.get_importance(self.id, metric=metric)

    def pause(self) -> Self:
        """Start no more trials; those that run go on to their end."""
        return self._take(self._client.pause_study(self.id))

    def resume(self) -> Self:
        return self._take(self._client.resume_study(self.id))

    def cancel(self) -> Self:
        """End it for good, its running trials and its compression with it."""
        return self._take(self._client.cancel_study(self.id))

    def extend(self, *, max_trials: int | None = None, max_minutes: float | None = None) -> Self:
        """Raise the budget to these totals; a study that has ended searches on."""
        return self._take(self._client.extend_study(self.id, max_trials=max_trials, max_minutes=max_minutes))

    def _repr_html_(self) -> str:
        return html.pairs(study_rows.details(self))
