"""Waiting for a study or a training to end, by its events: no polling."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from api.client.displays import Shown, display
from api.client.events import StudyEvent
from api.client.progress import StudyProgress
from api.client.training_progress import TrainingProgress
from api.schemas import StudyView, TrainingDetail
from search.contract.states import TERMINAL_STUDY_STATES, UNFINISHED_JOB_STATES, JobState, StudyState

S_co = TypeVar("S_co", bound=StudyView, covariant=True)
T_co = TypeVar("T_co", bound=TrainingDetail, covariant=True)


class StudySource(Protocol[S_co]):
    """The methods of the client that waiting for a study calls."""

    def get_study(self, study_id: str) -> S_co: ...

    def stream_events(self, study_id: str, *, after: int) -> Generator[StudyEvent, None, None]: ...


class TrainingSource(StudySource[StudyView], Protocol[T_co]):
    """The methods of the client that waiting for a training calls."""

    def get_training(self, training_id: str) -> T_co: ...


def wait_for_study(client: StudySource[S_co], study_id: str, *, progress: bool) -> S_co:
    """The study once it has ended, in any terminal state. ``progress`` shows its events from the first on."""
    study = client.get_study(study_id)
    if study.state in TERMINAL_STUDY_STATES and not progress:
        return study
    after = 0 if progress else study.last_event_id
    with _showing(StudyProgress(study.spec), progress) as show:
        for event in client.stream_events(study_id, after=after):
            show(event)
            if event.kind == "study" and StudyState(event.payload["state"]) in TERMINAL_STUDY_STATES:
                # This may be an old end, after which the budget was raised: read the study itself.
                present = client.get_study(study_id)
                if present.state in TERMINAL_STUDY_STATES:
                    return present
    raise AssertionError("the stream of events has no end")


def wait_for_training(client: TrainingSource[T_co], training_id: str, study_id: str, *, progress: bool) -> T_co:
    """The training once it has ended, in any terminal state."""
    after = client.get_study(study_id).last_event_id
    training = client.get_training(training_id)
    if training.state not in UNFINISHED_JOB_STATES:
        return training
    with _showing(TrainingProgress(training), progress) as show:
        for event in client.stream_events(study_id, after=after):
            if event.payload.get("training_id") != training_id:
                continue
            show(event)
            if event.kind == "training" and JobState(event.payload["state"]) not in UNFINISHED_JOB_STATES:
                return client.get_training(training_id)
    raise AssertionError("the stream of events has no end")


@contextmanager
def _showing(shown: Shown, progress: bool) -> Iterator[Callable[[StudyEvent], None]]:
    if not progress:
        yield lambda event: None
        return
    with display(shown) as displayed:
        yield lambda event: displayed.update(shown.apply(event))
