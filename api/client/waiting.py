"""Waiting for a study or a training to end, by its events: no polling."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.client.displays import Shown, display
from api.client.events import StudyEvent
from api.client.progress import StudyProgress
from api.client.training_progress import TrainingProgress
from search.contract.states import TERMINAL_STUDY_STATES, UNFINISHED_JOB_STATES, JobState, StudyState

if TYPE_CHECKING:
    from api.client.client import Client
    from api.client.resources import Study, TrainingInFull


def wait_for_study(client: "Client", study_id: str, *, progress: bool) -> "Study":
    """The study once it has ended, in whatever state. With ``progress`` its whole story is shown from the start."""
    study = client.get_study(study_id)
    if study.state in TERMINAL_STUDY_STATES and not progress:
        return study
    after = 0 if progress else study.last_event_id
    with _showing(StudyProgress(study.spec), progress) as show:
        for event in client.stream_events(study_id, after=after):
            show(event)
            if event.kind == "study" and StudyState(event.payload["state"]) in TERMINAL_STUDY_STATES:
                # An old end may have been followed by more budget: the study itself knows.
                present = client.get_study(study_id)
                if present.state in TERMINAL_STUDY_STATES:
                    return present
    raise AssertionError("the stream of events has no end")


def wait_for_training(client: "Client", training_id: str, study_id: str, *, progress: bool) -> "TrainingInFull":
    """The training once it has ended, in whatever state."""
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
