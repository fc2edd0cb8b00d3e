"""The controller: one loop that brings Ray's jobs in line with the studies table.

It is a thread of the API's process. Of several, one leads: the one that holds an advisory lock of PostgreSQL, which
falls to another when its connection dies. What is to be done is decided by ``plan``, which is pure.
"""

import shlex
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, text

from search.states import StudyState
from services.db import LEADER_LOCK, make_engine, new_id
from services.ray_jobs import RayJobs
from services.reasons import last_lines
from services.settings import Settings
from services.store import jobs, studies, trials
from services.tasks import KINDS, MAX_LOST, Task, job_name, to_run

log = structlog.get_logger()
PERIOD_S = 0.5
MAX_SUBMISSIONS = 5
_POOL = "compression-pool"


@dataclass(frozen=True, kw_only=True)
class Submit:
    """Start a driver."""

    study_id: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Requeue:
    """The driver is gone though its study is not: start another."""

    study_id: str
    job_id: str


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """Drivers were lost again and again without a trial in between."""

    study_id: str
    job_id: str | None


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A driver that runs though its study does not, or whose lease ran out."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class StartPool:
    """Compression jobs wait and no pool runs."""


@dataclass(frozen=True, kw_only=True)
class StartTask:
    """Start the job of a data set's check or a training."""

    task: Task


@dataclass(frozen=True, kw_only=True)
class GiveUpTask:
    """The job of a task was lost again and again."""

    task: Task


Action = Submit | Requeue | GiveUp | Stop | StartPool | StartTask | GiveUpTask


def plan(rows: Sequence[Any], alive: Collection[str], *, waiting_jobs: int, tasks: Sequence[Task] = ()) -> list[Action]:
    """What to do, given the studies to look after, Ray's live jobs, the number of waiting compression jobs, and the
    tasks that have not ended.
    """
    actions = [action for row in rows if (action := _plan_study(row, alive)) is not None]
    actions += [_plan_task(task) for task in tasks if task.job_id not in alive]
    if waiting_jobs and not any(job_id.startswith(_POOL) for job_id in alive):
        actions.append(StartPool())
    return actions


def _plan_study(row: Any, alive: Collection[str]) -> Action | None:
    lives = row.job_id in alive
    if lives:
        # A driver ends by itself when its study is paused or over; one that does not extend its lease is stuck.
        return Stop(job_id=row.job_id) if row.overdue else None
    if row.state is StudyState.QUEUED:
        if row.submissions >= MAX_SUBMISSIONS:
            return GiveUp(study_id=row.id, job_id=row.job_id)
        return Submit(study_id=row.id, attempt=row.job_attempt + 1)
    if row.state is StudyState.RUNNING and row.searched_at is None:
        return Requeue(study_id=row.id, job_id=row.job_id)
    return None


def _plan_task(task: Task) -> Action:
    return StartTask(task=task) if task.lost < MAX_LOST else GiveUpTask(task=task)


class Controller:
    """Runs ``plan`` and carries it out every half second while it leads."""

    def __init__(self, config: Settings, ray_jobs: RayJobs) -> None:
        self._config, self._ray = config, ray_jobs
        self._engine: Engine = make_engine(config.require_database_url())
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with self._engine.connect() as leadership:
                    # A connection of its own, closed for good at the end: the lock goes with it.
                    leadership.detach()
                    self._lead(leadership)
            except Exception as error:
                log.warning("controller interrupted", error=str(error))
                self._closed.wait(PERIOD_S)

    def _lead(self, leadership: Connection) -> None:
        """Reconcile for as long as this connection holds the leader's lock."""
        while not self._closed.wait(PERIOD_S):
            query = text("SELECT pg_try_advisory_lock(:key)")
            if not leadership.execute(query, {"key": LEADER_LOCK}).scalar():
                leadership.rollback()
                continue
            leadership.commit()
            while not self._closed.wait(PERIOD_S):
                leadership.execute(text("SELECT 1"))
                leadership.commit()
                self._reconcile()

    def _reconcile(self) -> None:
        """One round: read both sides, decide, act. What fails now is decided anew in the next round."""
        if not any(self._wanted()):
            return
        # Ray is asked first: a driver that has ended by then has written its last word before the table is read.
        alive = self._ray.alive()
        rows, waiting_jobs, tasks = self._wanted()
        for action in plan(rows, alive, waiting_jobs=waiting_jobs, tasks=tasks):
            log.info("reconciling", action=repr(action))
            try:
                self._carry_out(action)
            except Exception as error:
                log.warning("not done", action=repr(action), why=str(error))

    def _wanted(self) -> tuple[Sequence[Any], int, list[Task]]:
        with self._engine.connect() as connection:
            return studies.to_look_after(connection), jobs.waiting(connection), to_run(connection)

    def _carry_out(self, action: Action) -> None:
        match action:
            case Submit(study_id=study_id, attempt=attempt):
                self._submit(study_id, attempt)
            case Requeue(study_id=study_id, job_id=job_id):
                self._requeue(study_id, job_id)
            case GiveUp(study_id=study_id, job_id=job_id):
                self._give_up(study_id, job_id)
            case Stop(job_id=job_id):
                self._ray.stop(job_id)
            case StartPool():
                self._ray.submit(new_id(_POOL), "python -m services.compression_pool")
            case StartTask(task=task):
                self._start_task(task)
            case GiveUpTask(task=task):
                self._give_up_task(task)

    def _submit(self, study_id: str, attempt: int) -> None:
        job_id = job_name(study_id, attempt)
        with self._engine.begin() as connection:
            studies.record_submission(connection, study_id, job_id, attempt)
        self._ray.submit(job_id, f"{self._config.search_command} {shlex.quote(study_id)}")
        with self._engine.begin() as connection:
            studies.count_submission(connection, study_id)

    def _start_task(self, task: Task) -> None:
        kind, attempt = KINDS[task.kind], task.attempts + 1
        with self._engine.begin() as connection:
            kind.record(connection, task.row_id, attempt)
        self._ray.submit(job_name(task.row_id, attempt), f"python -m {kind.module} {shlex.quote(task.row_id)}")

    def _give_up_task(self, task: Task) -> None:
        reason = f"its job was lost {MAX_LOST} times in a row; the last one said:\n{self._last_words(task.job_id)}"
        with self._engine.begin() as connection:
            KINDS[task.kind].fail(connection, task.row_id, reason)

    def _last_words(self, job_id: str) -> str:
        return last_lines(self._ray.log(job_id)) or "nothing"

    def _requeue(self, study_id: str, job_id: str) -> None:
        reason = f"its driver {job_id} was lost: going on with a new one"
        with self._engine.begin() as connection:
            row = studies.get(connection, study_id, lock=True)
            if row.state is StudyState.RUNNING and row.job_id == job_id:
                studies.set_state(connection, study_id, StudyState.QUEUED, reason=reason, lease_token=None)

    def _give_up(self, study_id: str, job_id: str | None) -> None:
        end = self._last_words(job_id) if job_id else "nothing"
        reason = f"its driver was lost {MAX_SUBMISSIONS} times in a row; the last one said:\n{end}"
        with self._engine.begin() as connection:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=reason, lease_token=None)
            trials.cancel_running(connection, study_id, "the study failed")
