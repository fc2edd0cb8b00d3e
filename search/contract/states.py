"""States of studies, trials, jobs and recipe searches, and which changes between them are allowed."""

from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


class StudyState(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class StudyPhase(StrEnum):
    """What a study that is not over is at."""

    SEARCH = "SEARCH"
    RETRAINING = "RETRAINING"
    COMPRESSION = "COMPRESSION"
    SCORING = "SCORING"


class TrialState(StrEnum):
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    INFEASIBLE = "INFEASIBLE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class JobState(StrEnum):
    """Of compression jobs, trainings, scorings on the test split and checks of data sets."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class RecipeSearchState(StrEnum):
    OPEN = "OPEN"
    ENDED = "ENDED"


# A completed or failed study is reopened by extending its budget, and in no other way; CANCELLED is final.
STUDY_TRANSITIONS: dict[StudyState, frozenset[StudyState]] = {
    StudyState.QUEUED: frozenset({StudyState.RUNNING, StudyState.PAUSED, StudyState.FAILED, StudyState.CANCELLED}),
    StudyState.RUNNING: frozenset(
        {
            StudyState.QUEUED,
            StudyState.PAUSED,
            StudyState.COMPLETED,
            StudyState.FAILED,
            StudyState.CANCELLED,
        }
    ),
    StudyState.PAUSED: frozenset({StudyState.QUEUED, StudyState.CANCELLED}),
    StudyState.COMPLETED: frozenset({StudyState.QUEUED}),
    StudyState.FAILED: frozenset({StudyState.QUEUED}),
    StudyState.CANCELLED: frozenset(),
}

TRIAL_TRANSITIONS: dict[TrialState, frozenset[TrialState]] = {
    TrialState.RUNNING: frozenset(set(TrialState) - {TrialState.RUNNING}),
    **{state: frozenset() for state in TrialState if state is not TrialState.RUNNING},
}

# A running job goes back to the queue when its lease expires, or when another Ray job takes its work up.
JOB_TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED}),
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

RECIPE_SEARCH_TRANSITIONS: dict[RecipeSearchState, frozenset[RecipeSearchState]] = {
    RecipeSearchState.OPEN: frozenset({RecipeSearchState.ENDED}),
    RecipeSearchState.ENDED: frozenset(),
}

#: A study in one of these has ended; only more budget, or one of its trials run again, takes it up once more.
TERMINAL_STUDY_STATES = (StudyState.COMPLETED, StudyState.FAILED, StudyState.CANCELLED)

TERMINAL_TRIAL_STATES = tuple(state for state in TrialState if state is not TrialState.RUNNING)

#: Jobs that are still to give a result.
UNFINISHED_JOB_STATES = (JobState.QUEUED, JobState.RUNNING)

TERMINAL_JOB_STATES = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)

#: Trials that gave an answer. A cancelled one was cut off from outside and gave none.
ANSWERED_TRIAL_STATES = frozenset({TrialState.COMPLETED, TrialState.STOPPED, TrialState.INFEASIBLE, TrialState.FAILED})


def sources_of(transitions: dict[S, frozenset[S]], target: S) -> tuple[S, ...]:
    """The states from which ``target`` may be entered."""
    return tuple(source for source, targets in transitions.items() if target in targets)
