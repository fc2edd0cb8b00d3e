"""Decides what the controller does, from the tables and Ray's jobs. Pure; the cases are in docs/reconciliation.md.

A job is recorded before it is submitted, under an id made of its row's id and the attempt's number. A recorded job that
Ray does not know has not begun: it is submitted again under the same id, which Ray accepts once.

Of each kind only so many jobs run at a time as the capacity says. Who waits longest is next; what was started before
comes first.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from search.contract.states import JobState, StudyState
from services.control.tasks import MAX_LOST
from services.ray.capacity import Capacity
from services.records.studies import ActiveStudy
from services.records.tasks import Task, TaskKind, job_name

MAX_SUBMISSIONS = 5
#: Why a study does not start or go on, for as long as that is so.
WAITS_FOR_A_PLACE = "waits until another study's search ends"
WAITS_FOR_A_NODE = "waits for a node"
_POOL = "compression-pool"


@dataclass(frozen=True, kw_only=True)
class Submit:
    """Start a driver, if the study is still as it was read: in ``state``, its last driver the ``seen``-th."""

    study_id: str
    state: StudyState
    seen: int
    attempt: int


@dataclass(frozen=True, kw_only=True)
class PutBack:
    """Have a study whose driver is lost wait for another, if it is still as it was read."""

    study_id: str
    state: StudyState
    seen: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Explain:
    """Say why a study that is still in ``state`` waits, or with None that it does not any more."""

    study_id: str
    state: StudyState
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """Drivers were lost again and again without a trial in between."""

    study_id: str
    job_id: str | None


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A driver whose lease ran out is stuck; a job of a deleted study or a cancelled task has nothing left to do."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class StartPool:
    """Compression waits, or a probe runs whose export does, and no pool runs: starting one takes many seconds."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class StartTask:
    """Start the job of a data set's check, a training or a scoring, if no other attempt was made since it was seen."""

    task: Task
    attempt: int


@dataclass(frozen=True, kw_only=True)
class ExplainTask:
    """Say why a training waits."""

    task: Task
    reason: str


@dataclass(frozen=True, kw_only=True)
class GiveUpTask:
    """The job of a task was lost again and again."""

    task: Task


Step = Submit | PutBack | Explain | GiveUp | Stop | StartPool | StartTask | ExplainTask | GiveUpTask


def plan(
    studies: Sequence[ActiveStudy],
    ray_jobs: Mapping[str, bool],
    capacity: Capacity,
    *,
    compression: int = 0,
    tasks: Sequence[Task] = (),
    stray_jobs: Sequence[str] = (),
    has_room: bool = True,
) -> list[Step]:
    """The steps for the active studies, the jobs and recipe searches of ``compression``, the unfinished tasks, and the
    ``stray_jobs`` of deleted studies and cancelled tasks.

    ``ray_jobs``: every job that Ray knows by its id; True while it is pending or running, False once it ended. Unless
    the server ``has_room`` for files, nothing is started that writes some.
    """
    steps = [*_plan_studies(studies, ray_jobs, capacity), *_plan_tasks(tasks, ray_jobs, capacity)]
    steps += [Stop(job_id=job_id) for job_id in stray_jobs if ray_jobs.get(job_id, False)]
    pools = [alive for job_id, alive in ray_jobs.items() if job_id.startswith(_POOL)]
    if compression and not any(pools):
        # Two controllers that read the same choose the same id, and Ray accepts an id once.
        steps.append(StartPool(job_id=f"{_POOL}-{len(pools) + 1}"))
    return [step for step in steps if has_room or not _needs_room(step)]


def _needs_room(step: Step) -> bool:
    """Whether a step starts what writes files, or gives another reason why it does not start."""
    match step:
        case Submit() | StartPool() | ExplainTask():
            return True
        case StartTask(task=task):
            return task.kind != "dataset"
        case Explain(state=state):
            return state is StudyState.QUEUED
        case _:
            return False


def _plan_studies(studies: Sequence[ActiveStudy], ray_jobs: Mapping[str, bool], capacity: Capacity) -> Iterator[Step]:
    """Those that had a driver come first, then those that wait for one, in the order in which they began to."""
    free = capacity.searches - sum(_has_driver(study, ray_jobs) for study in studies)
    for study in sorted(studies, key=lambda study: (study.queued_at is not None, study.queued_at, study.id)):
        step = _plan_study(study, ray_jobs)
        shortfall = capacity.shortfall(study.resources)
        node = None if shortfall is None else f"{WAITS_FOR_A_NODE}: {shortfall}"
        if not isinstance(step, Submit):
            yield from _told(study, node) if step is None else [step]
        elif node is None and free > 0:
            free -= 1
            yield step
        else:
            yield from _made_to_wait(study, node or WAITS_FOR_A_PLACE)


def _has_driver(study: ActiveStudy, ray_jobs: Mapping[str, bool]) -> bool:
    return study.job_id is not None and ray_jobs.get(study.job_id, False)


def _told(study: ActiveStudy, node: str | None) -> Iterator[Step]:
    """Whether a study that has its driver waits for a ``node``."""
    searching = study.state is StudyState.RUNNING and study.searched_at is None
    said = study.reason if (study.reason or "").startswith(WAITS_FOR_A_NODE) else None
    if searching and node != said:
        yield Explain(study_id=study.id, state=study.state, reason=node)


def _made_to_wait(study: ActiveStudy, reason: str) -> Iterator[Step]:
    if study.state is StudyState.RUNNING or study.queued_at is None:
        yield PutBack(study_id=study.id, state=study.state, seen=study.job_attempt, reason=reason)
    elif study.reason != reason:
        yield Explain(study_id=study.id, state=study.state, reason=reason)


def _plan_study(study: ActiveStudy, ray_jobs: Mapping[str, bool]) -> Submit | GiveUp | Stop | None:
    """The step for a study as if it were the only one."""
    if _has_driver(study, ray_jobs):
        # A driver ends by itself when its study is paused or over; one that does not extend its lease is stuck.
        assert study.job_id is not None
        return Stop(job_id=study.job_id) if study.overdue else None
    searching = study.state is StudyState.RUNNING and study.searched_at is None
    if study.state is not StudyState.QUEUED and not searching:
        return None
    if study.submissions >= MAX_SUBMISSIONS:
        return GiveUp(study_id=study.id, job_id=study.job_id)
    begun = searching or study.job_id is None or study.job_id in ray_jobs
    return Submit(study_id=study.id, state=study.state, seen=study.job_attempt, attempt=study.job_attempt + begun)


def _plan_tasks(tasks: Sequence[Task], ray_jobs: Mapping[str, bool], capacity: Capacity) -> Iterator[Step]:
    """Those that had a job come first, then the others, oldest first."""
    running = Counter[TaskKind](task.kind for task in tasks if ray_jobs.get(job_name(task.row_id, task.attempts)))
    for task in sorted(tasks, key=lambda task: (task.attempts == 0, task.row_id)):
        step = _plan_task(task, ray_jobs)
        shortfall = None if task.resources is None else capacity.shortfall(task.resources)
        if not isinstance(step, StartTask):
            yield from [] if step is None else [step]
        elif shortfall is not None:
            reason = f"{WAITS_FOR_A_NODE}: {shortfall}"
            yield from [ExplainTask(task=task, reason=reason)] if task.reason != reason else []
        elif running[task.kind] < capacity.tasks:
            running[task.kind] += 1
            yield step


def _plan_task(task: Task, ray_jobs: Mapping[str, bool]) -> StartTask | GiveUpTask | None:
    """The step for a task as if it were the only one."""
    job_id = job_name(task.row_id, task.attempts)
    if not task.may_run or ray_jobs.get(job_id, False):
        return None
    if task.lost >= MAX_LOST:
        return GiveUpTask(task=task)
    begun = task.state is JobState.RUNNING or task.attempts == 0 or job_id in ray_jobs
    return StartTask(task=task, attempt=task.attempts + begun)
