"""What is to be done, given what the tables say and what Ray says. Pure; the cases are in docs/reconciliation.md.

A job is written down before it is submitted, under an id made of its row's id and the attempt's number. So one that was
written down and that Ray does not know has not begun: it is submitted again under the same id, which Ray takes once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.contract.states import JobState, StudyState
from services.control.tasks import MAX_LOST, Task, job_name

MAX_SUBMISSIONS = 5
_POOL = "compression-pool"


@dataclass(frozen=True, kw_only=True)
class Submit:
    """Start a driver, if the study is still as it was seen: in ``state``, its last driver the ``seen``-th."""

    study_id: str
    state: StudyState
    seen: int
    attempt: int


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """Drivers were lost again and again without a trial in between."""

    study_id: str
    job_id: str | None


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A driver whose lease ran out is stuck."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class StartPool:
    """Compression jobs wait and no pool runs."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class StartTask:
    """Start the job of a data set's check or a training, if no other attempt was made since it was seen."""

    task: Task
    attempt: int


@dataclass(frozen=True, kw_only=True)
class GiveUpTask:
    """The job of a task was lost again and again."""

    task: Task


Step = Submit | GiveUp | Stop | StartPool | StartTask | GiveUpTask


def plan(
    rows: Sequence[Any], known: Mapping[str, bool], *, waiting_jobs: int = 0, tasks: Sequence[Task] = ()
) -> list[Step]:
    """The steps for the studies to look after, the number of waiting compression jobs and the unfinished tasks.

    ``known``: the jobs that Ray knows by their id; True for one that is pending or running, False for one that ended.
    """
    steps = [_of_study(row, known) for row in rows] + [_of_task(task, known) for task in tasks]
    pools = [alive for job_id, alive in known.items() if job_id.startswith(_POOL)]
    if waiting_jobs and not any(pools):
        # Two controllers that see the same name it alike, and Ray takes an id once.
        steps.append(StartPool(job_id=f"{_POOL}-{len(pools) + 1}"))
    return [step for step in steps if step is not None]


def _of_study(row: Any, known: Mapping[str, bool]) -> Step | None:
    if known.get(row.job_id, False):
        # A driver ends by itself when its study is paused or over; one that does not extend its lease is stuck.
        return Stop(job_id=row.job_id) if row.overdue else None
    searching = row.state is StudyState.RUNNING and row.searched_at is None
    if row.state is not StudyState.QUEUED and not searching:
        return None
    if row.submissions >= MAX_SUBMISSIONS:
        return GiveUp(study_id=row.id, job_id=row.job_id)
    begun = searching or row.job_id is None or row.job_id in known
    return Submit(study_id=row.id, state=row.state, seen=row.job_attempt, attempt=row.job_attempt + begun)


def _of_task(task: Task, known: Mapping[str, bool]) -> Step | None:
    job_id = job_name(task.row_id, task.attempts)
    if known.get(job_id, False):
        return None
    if task.lost >= MAX_LOST:
        return GiveUpTask(task=task)
    begun = task.state is JobState.RUNNING or task.attempts == 0 or job_id in known
    return StartTask(task=task, attempt=task.attempts + begun)
