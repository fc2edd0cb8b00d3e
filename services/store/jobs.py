"""SQL of compression jobs: a queue in PostgreSQL, leased with SKIP LOCKED and guarded by the lease's token."""

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.states import JOB_TRANSITIONS, TERMINAL_JOB_STATES, JobState, StudyState, TrialState
from search.contract.trials import TrialRole
from services.errors import LeaseLostError
from services.records.jobs import CompressionJob
from services.records.json_object import JsonObject
from services.store import totals
from services.store.clock import in_seconds
from services.store.state_change import Event, StateMachine, change_state, tell
from services.store.tables import compression_jobs as jobs
from services.store.tables import studies, trials

MAX_ATTEMPTS = 3


def _event(row: RowMapping) -> Event:
    payload = {"job_id": row["id"], "recipe": row["recipe"]["name"]}
    return Event(study_id=row["study_id"], kind="compression", payload=payload, trial_id=row["trial_id"])


_STATES = StateMachine(
    noun="compression job",
    table=jobs,
    state=jobs.c.state,
    transitions=JOB_TRANSITIONS,
    terminal=TERMINAL_JOB_STATES,
    event=_event,
)


def add(
    connection: Connection,
    *,
    job_id: str,
    trial_id: str,
    study_id: str,
    recipe: JsonObject,
    weights_sha256: str,
) -> CompressionJob:
    """Queue a recipe for a trial's weights. The same recipe for the same weights is queued once, but for cancelled
    jobs: its first job.
    """
    identity = {"trial_id": trial_id, "recipe": recipe, "weights_sha256": weights_sha256}
    statement = upsert(jobs).values(id=job_id, study_id=study_id, state=JobState.QUEUED, **identity)
    row = connection.execute(statement.on_conflict_do_nothing().returning(*jobs.c)).mappings().one_or_none()
    if row is None:
        same = [jobs.c[name] == value for name, value in identity.items()]
        first = select(jobs).where(*same, jobs.c.state != JobState.CANCELLED)
        return CompressionJob.from_row(connection.execute(first).mappings().one())
    tell(connection, _STATES, row, {"state": JobState.QUEUED})
    return CompressionJob.from_row(row)


def get(connection: Connection, job_id: str) -> CompressionJob:
    return CompressionJob.from_row(connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one())


def _may_run() -> ColumnElement[bool]:
    held_up = select(studies.c.id).where(
        studies.c.id == jobs.c.study_id, studies.c.state.in_((StudyState.PAUSED, StudyState.CANCELLED))
    )
    free = or_(
        jobs.c.state == JobState.QUEUED,
        and_(jobs.c.state == JobState.RUNNING, jobs.c.lease_expires_at < func.now()),
    )
    return and_(free, ~held_up.exists())


def waiting(connection: Connection) -> int:
    """How many jobs could be leased now."""
    return int(connection.execute(select(func.count()).select_from(jobs).where(_may_run())).scalar_one())


def announced(connection: Connection) -> int:
    """How many running trials are probes, each of which is exported as soon as it has ended."""
    probes = select(func.count()).where(trials.c.state == TrialState.RUNNING, trials.c.role == TrialRole.PROBE)
    return int(connection.execute(probes).scalar_one())


def lease(connection: Connection, token: str, *, lease_s: float) -> CompressionJob | None:
    """The oldest job that is free, now RUNNING under ``token``; None if there is none."""
    free = select(jobs).where(_may_run(), jobs.c.attempts < MAX_ATTEMPTS)
    oldest = free.order_by(jobs.c.created_at, jobs.c.id).limit(1)
    row = connection.execute(oldest.with_for_update(skip_locked=True, of=jobs)).mappings().one_or_none()
    if row is None:
        return None
    job = CompressionJob.from_row(row)
    if job.state is JobState.RUNNING:
        requeue(connection, job.id, reason="its lease ran out: its pool was lost")
        totals.add(connection, job.study_id, "leases_lost", 1, label="compression")
    lease_values = {"lease_token": token, "lease_expires_at": in_seconds(lease_s)}
    values = {**lease_values, "attempts": job.attempts + 1, "started_at": func.now()}
    return CompressionJob.from_row(change_state(connection, _STATES, job.id, JobState.RUNNING, values=values))


def _abandoned() -> Select[*tuple[object, ...]]:
    """The free jobs that were leased ``MAX_ATTEMPTS`` times and never ended."""
    return select(jobs).where(_may_run(), jobs.c.attempts >= MAX_ATTEMPTS)


def abandoned(connection: Connection) -> list[CompressionJob]:
    """The free jobs that were leased ``MAX_ATTEMPTS`` times and never ended."""
    return [CompressionJob.from_row(row) for row in connection.execute(_abandoned()).mappings()]


def lock_abandoned(connection: Connection, job_id: str) -> bool:
    """Lock a job's row for this transaction; whether the job still is abandoned."""
    query = _abandoned().where(jobs.c.id == job_id)
    return connection.execute(query.with_for_update(of=jobs)).one_or_none() is not None


def explain_waiting(connection: Connection, reason: str) -> None:
    """Write down why the queued jobs wait, and tell it once per job."""
    unexplained = update(jobs).where(jobs.c.state == JobState.QUEUED, jobs.c.reason.is_distinct_from(reason))
    for row in connection.execute(unexplained.values(reason=reason).returning(*jobs.c)).mappings().all():
        tell(connection, _STATES, row, {"state": JobState.QUEUED, "reason": reason})


def extend(connection: Connection, token: str, *, lease_s: float) -> None:
    """Extend the lease of every running job under ``token``."""
    connection.execute(
        update(jobs)
        .where(jobs.c.lease_token == token, jobs.c.state == JobState.RUNNING)
        .values(lease_expires_at=in_seconds(lease_s))
    )


def hold(connection: Connection, job_id: str, token: str) -> None:
    """Lock a job's row for this transaction. LeaseLostError if ``token`` no longer holds it."""
    query = select(jobs.c.id).where(jobs.c.id == job_id, jobs.c.lease_token == token)
    if connection.execute(query.with_for_update()).scalar() is None:
        raise LeaseLostError(f"compression job {job_id}")


def requeue(connection: Connection, job_id: str, *, reason: str, counts: bool = True) -> None:
    """Put a running job back into the queue. ConflictError if it does not run.

    Unless it ``counts``, the attempt is not held against the job.
    """
    values: dict[str, object] = {**_NOT_LEASED}
    if not counts:
        values["attempts"] = jobs.c.attempts - 1
    change_state(connection, _STATES, job_id, JobState.QUEUED, reason=reason, values=values)


def end(connection: Connection, job_id: str, target: JobState, *, reason: str | None = None) -> None:
    """End a job. ConflictError if it has ended already."""
    change_state(connection, _STATES, job_id, target, reason=reason, values=_NOT_LEASED)


_NOT_LEASED = {"lease_token": None, "lease_expires_at": None}


def cancel_all(connection: Connection, study_id: str, reason: str) -> None:
    """Cancel every job of a study that has not ended."""
    open_jobs = select(jobs.c.id).where(jobs.c.study_id == study_id, jobs.c.state.not_in(TERMINAL_JOB_STATES))
    for job_id in connection.execute(open_jobs.with_for_update()).scalars().all():
        end(connection, job_id, JobState.CANCELLED, reason=reason)


def unfinished(connection: Connection, study_id: str) -> bool:
    query = select(jobs.c.id).where(jobs.c.study_id == study_id, jobs.c.state.not_in(TERMINAL_JOB_STATES))
    return connection.execute(query.limit(1)).scalar() is not None


def count_of_trial(connection: Connection, trial_id: str) -> int:
    """How many jobs a trial has had."""
    return int(connection.execute(select(func.count()).where(jobs.c.trial_id == trial_id)).scalar_one())


def of_trial(connection: Connection, trial_id: str) -> list[CompressionJob]:
    """The jobs of a trial, oldest first."""
    query = select(jobs).where(jobs.c.trial_id == trial_id).order_by(jobs.c.id)
    return [CompressionJob.from_row(row) for row in connection.execute(query).mappings()]
