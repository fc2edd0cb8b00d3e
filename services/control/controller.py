"""The controller: one loop that brings Ray's jobs in line with the studies table.

It is a thread of the API's process. Of several controllers one leads: the one that holds an advisory lock of
PostgreSQL, which another takes when that connection dies. ``services.control.reconciliation`` decides what is to be
done. Should two lead for a moment, a step that the other has taken is refused by the row, which has changed, or by
Ray, which accepts an id once.
"""

import shlex
import threading
import time

import structlog
from sqlalchemy import Connection, Engine, text

from search.contract.states import StudyState
from services.control.reconciliation import (
    MAX_SUBMISSIONS,
    Explain,
    ExplainTask,
    GiveUp,
    GiveUpTask,
    PutBack,
    StartPool,
    StartTask,
    Step,
    Stop,
    Submit,
    plan,
)
from services.control.room import has_room
from services.control.tasks import HANDLERS, MAX_LOST, list_cancelled_jobs, list_tasks
from services.database import LEADER_LOCK, make_engine
from services.errors import ConflictError
from services.ray.capacity import Capacity, capacity_of
from services.ray.errors import RayError
from services.ray.jobs import RayJobs
from services.records.studies import ActiveStudy, Study
from services.records.tasks import Task, job_name
from services.settings import Settings
from services.store import deletions, jobs, recipe_searches, studies, totals, trainings, trials

log = structlog.get_logger()
PERIOD_S = 0.5
#: Nodes come and go less often than jobs end.
_NODES_PERIOD_S = 5.0
#: Why a queued study does not start, for as long as that is so.
WAITS_FOR_RAY = "waits for Ray, which does not answer"


class Controller:
    """Plans and takes the steps every half second while it leads."""

    def __init__(self, config: Settings, ray_jobs: RayJobs) -> None:
        self._config, self._ray = config, ray_jobs
        self._engine: Engine = make_engine(config.require_database_url())
        self._last_error: str | None = None
        self._capacity = 0.0, Capacity(searches=1, tasks=1, offers=())
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._engine.dispose()
        self._ray.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with self._engine.connect() as leadership:
                    # A connection of its own, closed for good at the end: the lock goes with it.
                    leadership.detach()
                    self._lead(leadership)
            except Exception as error:  # whatever fails, this thread must lead again later
                self._warn_once(error)
                self._closed.wait(PERIOD_S)

    def _warn_once(self, error: Exception) -> None:
        """Log an error unless it is the last one again: a database or a Ray may be away for a while."""
        if str(error) != self._last_error:
            log.warning("controller interrupted", error=str(error))
        self._last_error = str(error)

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
        if not any(self._read_record()):
            return
        # Ray is asked first: a driver that has ended by then has written its last result before the table is read.
        try:
            ray_jobs, capacity = self._ray.list_jobs(), self._known_capacity()
        except RayError:
            with self._engine.begin() as connection:
                studies.explain_queued(connection, WAITS_FOR_RAY)
            raise
        active_studies, compression, tasks, stray = self._read_record()
        steps = plan(
            active_studies,
            ray_jobs,
            capacity,
            compression=compression,
            tasks=tasks,
            stray_jobs=stray,
            has_room=has_room(self._engine),
        )
        for step in steps:
            log.info("reconciling", step=repr(step))
            try:
                self._take(step)
            except Exception as error:  # one failed step must not keep the others from being taken
                log.warning("not done", step=repr(step), why=str(error))
        self._last_error = None

    def _known_capacity(self) -> Capacity:
        """The cluster's capacity, at most ``_NODES_PERIOD_S`` old; without nodes, as when Ray has just started, new."""
        now, (read_at, known) = time.monotonic(), self._capacity
        if not known.offers or now - read_at > _NODES_PERIOD_S:
            limits = {"max_searches": self._config.max_searches, "max_tasks": self._config.max_tasks}
            known = capacity_of(self._ray.nodes(), **limits)
            self._capacity = now, known
        return known

    def _read_record(self) -> tuple[list[ActiveStudy], int, list[Task], list[str]]:
        """The active studies, how much compression waits or is announced, the unfinished tasks, and the Ray jobs of
        studies that were deleted, and of tasks that were cancelled, a moment ago.
        """
        with self._engine.connect() as connection:
            compression = jobs.waiting(connection) + jobs.announced(connection)
            compression += len(recipe_searches.open_ones(connection))
            stray = [*deletions.list_stray_jobs(connection), *list_cancelled_jobs(connection)]
            return studies.list_active(connection), compression, list_tasks(connection), stray

    def _take(self, step: Step) -> None:
        match step:
            case Submit():
                self._submit(step)
            case PutBack():
                self._put_back(step)
            case Explain(study_id=study_id, state=state, reason=reason):
                with self._engine.begin() as connection:
                    studies.explain(connection, study_id, state, reason)
            case GiveUp(study_id=study_id, job_id=job_id):
                self._give_up(study_id, job_id)
            case Stop(job_id=job_id):
                self._ray.stop(job_id)
            case StartPool(job_id=job_id):
                self._ray.submit(job_id, "python -m services.jobs.compression_pool")
            case StartTask(task=task, attempt=attempt):
                self._start_task(task, attempt)
            case ExplainTask(task=task, reason=why):
                with self._engine.begin() as connection:
                    trainings.explain(connection, task.row_id, why)
            case GiveUpTask(task=task):
                self._give_up_task(task)

    def _submit(self, step: Submit) -> None:
        job_id, cause = job_name(step.study_id, step.attempt), self._cause_of_loss(step)
        with self._engine.begin() as connection:
            study = _unchanged(connection, step)
            if study.state is StudyState.RUNNING:
                _note_loss(connection, study, cause)
            studies.record_submission(connection, study.id, job_id, step.attempt)
        self._ray.submit(job_id, f"{self._config.search_command} {shlex.quote(step.study_id)}")
        with self._engine.begin() as connection:
            studies.count_submission(connection, step.study_id)
            if study.reason == WAITS_FOR_RAY:
                studies.set_values(connection, step.study_id, reason=None)

    def _put_back(self, step: PutBack) -> None:
        cause = self._cause_of_loss(step)
        with self._engine.begin() as connection:
            study = _unchanged(connection, step)
            studies.put_back(connection, study.id)
            if study.state is StudyState.RUNNING:
                _note_loss(connection, study, cause)
            studies.explain(connection, study.id, StudyState.QUEUED, step.reason)

    def _cause_of_loss(self, step: Submit | PutBack) -> str:
        """Why the last driver of a study that is searched was lost."""
        return self._ray.cause(job_name(step.study_id, step.seen)) if step.state is StudyState.RUNNING else ""

    def _give_up(self, study_id: str, job_id: str | None) -> None:
        cause = self._ray.cause(job_id) if job_id else "none was started"
        reason = f"its driver was lost {MAX_SUBMISSIONS} times in a row; the last one: {cause}"
        with self._engine.begin() as connection:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=reason, lease_token=None)
            trials.cancel_running(connection, study_id, "the study failed")

    def _start_task(self, task: Task, attempt: int) -> None:
        handler = HANDLERS[task.kind]
        with self._engine.begin() as connection:
            if not handler.record_submission(connection, task.row_id, task.attempts, attempt):
                raise ConflictError(f"{task.kind} {task.row_id} has changed meanwhile")
        self._ray.submit(job_name(task.row_id, attempt), f"python -m {handler.module} {shlex.quote(task.row_id)}")

    def _give_up_task(self, task: Task) -> None:
        cause = self._ray.cause(job_name(task.row_id, task.attempts))
        reason = f"its job was lost {MAX_LOST} times in a row; the last one: {cause}"
        with self._engine.begin() as connection:
            HANDLERS[task.kind].fail(connection, task.row_id, reason)


def _unchanged(connection: Connection, step: Submit | PutBack) -> Study:
    """The step's study, locked. ConflictError if it is not as it was read."""
    study = studies.get(connection, step.study_id, lock=True)
    if (study.state, study.job_attempt) != (step.state, step.seen):
        raise ConflictError(f"study {study.id} has changed meanwhile")
    return study


def _note_loss(connection: Connection, study: Study, cause: str) -> None:
    """Take the lease from the lost driver of a study, which is QUEUED from then on."""
    reason = f"its driver {study.job_id} was lost: going on with a new one; {cause}"
    studies.set_state(connection, study.id, StudyState.QUEUED, reason=reason, lease_token=None)
    totals.add(connection, study.id, "leases_lost", 1, label="search")
