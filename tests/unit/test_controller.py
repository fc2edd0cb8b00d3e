"""What the controller decides for a study: state, driver, lease and earlier submissions to one action."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from search.states import StudyState
from services.controller import (
    MAX_SUBMISSIONS,
    Action,
    GiveUp,
    GiveUpTask,
    Requeue,
    StartPool,
    StartTask,
    Stop,
    Submit,
    plan,
)
from services.tasks import MAX_LOST, Task

QUEUED, RUNNING, PAUSED = StudyState.QUEUED, StudyState.RUNNING, StudyState.PAUSED
COMPLETED, FAILED, CANCELLED = StudyState.COMPLETED, StudyState.FAILED, StudyState.CANCELLED
ENDED_OR_PAUSED = (PAUSED, COMPLETED, FAILED, CANCELLED)
DRIVER = "study-1-3"
SUBMIT, REQUEUE = Submit(study_id="study-1", attempt=4), Requeue(study_id="study-1", job_id=DRIVER)
GIVE_UP, STOP = GiveUp(study_id="study-1", job_id=DRIVER), Stop(job_id=DRIVER)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A study as ``to_look_after`` returns it; its driver is the third."""

    id: str = "study-1"
    state: StudyState
    job_id: str | None = DRIVER
    job_attempt: int = 3
    submissions: int = 1
    searched_at: datetime | None = None
    overdue: bool = False


def decide(row: Row, *, lives: bool) -> Action | None:
    actions = plan([row], {DRIVER} if lives else set(), waiting_jobs=0)
    assert len(actions) <= 1
    return actions[0] if actions else None


@pytest.mark.parametrize(
    ("state", "lives", "overdue", "submissions", "expected"),
    [
        (QUEUED, False, False, 0, SUBMIT),
        (QUEUED, False, True, 0, SUBMIT),
        (QUEUED, False, False, MAX_SUBMISSIONS - 1, SUBMIT),
        (QUEUED, False, False, MAX_SUBMISSIONS, GIVE_UP),
        (QUEUED, True, False, 1, None),
        (QUEUED, True, False, MAX_SUBMISSIONS, None),
        (QUEUED, True, True, 1, STOP),
        (RUNNING, True, False, 1, None),
        (RUNNING, True, True, 1, STOP),
        (RUNNING, False, False, 1, REQUEUE),
        (RUNNING, False, True, 1, REQUEUE),
        (RUNNING, False, False, MAX_SUBMISSIONS, REQUEUE),
        *((state, False, overdue, 1, None) for state in ENDED_OR_PAUSED for overdue in (False, True)),
        *((state, True, False, 1, None) for state in ENDED_OR_PAUSED),
        *((state, True, True, 1, STOP) for state in ENDED_OR_PAUSED),
    ],
)
def test_a_study_gets_what_it_needs(
    state: StudyState, lives: bool, overdue: bool, submissions: int, expected: Action | None
) -> None:
    assert decide(Row(state=state, overdue=overdue, submissions=submissions), lives=lives) == expected


def test_a_new_study_is_submitted_for_the_first_time() -> None:
    row = Row(state=QUEUED, job_id=None, job_attempt=0, submissions=0)
    assert plan([row], {"another-job"}, waiting_jobs=0) == [Submit(study_id="study-1", attempt=1)]


def test_a_study_that_is_only_being_compressed_needs_no_driver() -> None:
    row = Row(state=RUNNING, searched_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert decide(row, lives=False) is None


@pytest.mark.parametrize(
    ("waiting_jobs", "alive", "expected"),
    [
        (0, set(), []),
        (3, set(), [StartPool()]),
        (3, {DRIVER}, [StartPool()]),
        (3, {"compression-pool-01"}, []),
        (0, {"compression-pool-01"}, []),
    ],
)
def test_a_pool_is_started_when_jobs_wait_and_none_runs(
    waiting_jobs: int, alive: set[str], expected: list[Action]
) -> None:
    assert plan([], alive, waiting_jobs=waiting_jobs) == expected


@pytest.mark.parametrize(
    ("attempts", "lost", "alive", "expected"),
    [
        (0, 0, set(), StartTask),
        (1, 1, {"training-1-1"}, None),
        (1, 1, set(), StartTask),
        (7, 1, set(), StartTask),
        (7, MAX_LOST, {"training-1-7"}, None),
        (7, MAX_LOST, set(), GiveUpTask),
    ],
)
def test_a_task_is_started_until_it_ends_or_was_lost_too_often_in_a_row(
    attempts: int, lost: int, alive: set[str], expected: type[StartTask | GiveUpTask] | None
) -> None:
    task = Task(kind="training", row_id="training-1", attempts=attempts, lost=lost)
    assert plan([], alive, waiting_jobs=0, tasks=[task]) == ([] if expected is None else [expected(task=task)])


def test_each_study_is_decided_by_itself_in_order() -> None:
    rows = [Row(state=RUNNING), Row(id="study-2", state=QUEUED, job_id=None, job_attempt=0, submissions=0)]
    assert plan(rows, set(), waiting_jobs=1) == [REQUEUE, Submit(study_id="study-2", attempt=1), StartPool()]
