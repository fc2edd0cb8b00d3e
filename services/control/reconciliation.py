"""Decides what the controller does, from the tables and Ray's jobs. Pure; the cases are in docs/reconciliation.md.

A job is recorded before it is submitted, under an id made of its row's id and the attempt's number. A recorded job that
Ray does not know has not begun: it is submitted again under the same id, which Ray accepts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.contract.states import JobState, StudyState
from services.control.tasks import MAX_LOST, job_name
from services.records.studies import ActiveStudy
from services.records.tasks import Task

MAX_SUBMISSIONS = 5
_POOL = "compression-pool"


@dataclass(frozen=True, kw_only=True)
class Submit:
    """Start a driver, if the study is still as it was read: in ``state``, its last driver the ``seen``-th."""

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
    """Start the job of a data set's check, a training or a scoring, if no other attempt was made since it was seen."""

    task: Task
    attempt: int


@dataclass(frozen=True, kw_only=True)
class GiveUpTask:
    """The job of a task was lost again and again."""

    task: Task


Step = Submit | GiveUp | Stop | StartPool | StartTask | GiveUpTask


def plan(
    studies: Sequence[ActiveStudy],
    ray_jobs: Mapping[str, bool],
    *,
    waiting_jobs: int = 0,
    tasks: Sequence[Task] = (),
) -> list[Step]:
    """The steps for the active studies, the number of waiting compression jobs and the unfinished tasks.

    ``ray_jobs``: every job that Ray knows by its id; True while it is pending or running, False once it ended.
    """
    steps = [_plan_study(study, ray_jobs) for study in studies] + [_plan_task(task, ray_jobs) for task in tasks]
    pools = [alive for job_id, alive in ray_jobs.items() if job_id.startswith(_POOL)]
    if waiting_jobs and not any(pools):
        # Two controllers that read the same choose the same id, and Ray accepts an id once.
        steps.append(StartPool(job_id=f"{_POOL}-{len(pools) + 1}"))
    return [step for step in steps if step is not None]


def _plan_study(study: ActiveStudy, ray_jobs: Mapping[str, bool]) -> Step | None:
    if study.job_id is not None and ray_jobs.get(study.job_id, False):
        # A driver ends by itself when its study is paused or over; one that does not extend its lease is stuck.
        return Stop(job_id=study.job_id) if study.overdue else None
    searching = study.state is StudyState.RUNNING and study.searched_at is None
    if study.state is not StudyState.QUEUED and not searching:
        return None
    if study.submissions >= MAX_SUBMISSIONS:
        return GiveUp(study_id=study.id, job_id=study.job_id)
    begun = searching or study.job_id is None or study.job_id in ray_jobs
    return Submit(study_id=study.id, state=study.state, seen=study.job_attempt, attempt=study.job_attempt + begun)


def _plan_task(task: Task, ray_jobs: Mapping[str, bool]) -> Step | None:
    job_id = job_name(task.row_id, task.attempts)
    if ray_jobs.get(job_id, False):
        return None
    if task.lost >= MAX_LOST:
        return GiveUpTask(task=task)
    begun = task.state is JobState.RUNNING or task.attempts == 0 or job_id in ray_jobs
    return StartTask(task=task, attempt=task.attempts + begun)
