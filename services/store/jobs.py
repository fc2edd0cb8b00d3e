"""SQL of compression jobs: a queue in PostgreSQL, leased with SKIP LOCKED and guarded by the lease's token."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.states import JOB_TRANSITIONS, JobState, StudyState, sources_of
from services.errors import ConflictError, LeaseLostError
from services.store import events, totals
from services.store.tables import compression_jobs as jobs
from services.store.tables import studies

TERMINAL = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)
MAX_ATTEMPTS = 3
_TOLD = (jobs.c.id, jobs.c.study_id, jobs.c.trial_id, jobs.c.recipe)


def add(
    connection: Connection, *, job_id: str, trial_id: str, study_id: str, recipe: dict[str, Any], weights_sha256: str
) -> str:
    """Queue a recipe for a trial's weights; the same recipe for the same weights is queued once. The job's id."""
    what = {"trial_id": trial_id, "recipe": recipe, "weights_sha256": weights_sha256}
    statement = upsert(jobs).values(id=job_id, study_id=study_id, state=JobState.QUEUED, **what)
    added = connection.execute(statement.on_conflict_do_nothing().returning(jobs.c.id)).scalar()
    if added is None:
        same = select(jobs.c.id).where(*(jobs.c[name] == value for name, value in what.items()))
        return str(connection.execute(same).scalar_one())
    payload = {"job_id": job_id, "recipe": recipe["name"], "state": JobState.QUEUED}
    events.emit(connection, study_id, "compression", payload, trial_id=trial_id)
    return job_id


def get(connection: Connection, job_id: str) -> Row[Any]:
    return connection.execute(select(jobs).where(jobs.c.id == job_id)).one()


def _may_run() -> Any:
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


def lease(connection: Connection, token: str, *, lease_s: float) -> Row[Any] | None:
    """The oldest job that is free, now RUNNING under ``token``; None if there is none."""
    free = select(jobs).where(_may_run(), jobs.c.attempts < MAX_ATTEMPTS)
    oldest = free.order_by(jobs.c.created_at, jobs.c.id).limit(1)
    row = connection.execute(oldest.with_for_update(skip_locked=True, of=jobs)).one_or_none()
    if row is None:
        return None
    if row.state is JobState.RUNNING:
        set_state(connection, row.id, JobState.QUEUED, reason="its lease ran out: its pool was lost")
        totals.add(connection, row.study_id, "leases_lost", 1, label="compression")
    set_state(
        connection,
        row.id,
        JobState.RUNNING,
        lease_token=token,
        lease_expires_at=_in_seconds(lease_s),
        attempts=row.attempts + 1,
        started_at=func.now(),
    )
    return get(connection, row.id)


def poisoned(connection: Connection) -> Sequence[Row[Any]]:
    """The free jobs that were taken up ``MAX_ATTEMPTS`` times and never ended."""
    return connection.execute(select(jobs).where(_may_run(), jobs.c.attempts >= MAX_ATTEMPTS)).all()


def lock_poisoned(connection: Connection, job_id: str) -> bool:
    """Lock a job's row for this transaction; whether it still is poisoned."""
    still = select(jobs.c.id).where(jobs.c.id == job_id, _may_run(), jobs.c.attempts >= MAX_ATTEMPTS)
    return connection.execute(still.with_for_update(of=jobs)).scalar() is not None


def explain_waiting(connection: Connection, reason: str) -> None:
    """Say of the queued jobs why they wait, once each."""
    silent = jobs.c.reason.is_distinct_from(reason)
    waiting_jobs = update(jobs).where(jobs.c.state == JobState.QUEUED, silent).values(reason=reason)
    for row in connection.execute(waiting_jobs.returning(*_TOLD)).all():
        _tell(connection, row, JobState.QUEUED, reason)


def extend(connection: Connection, token: str, *, lease_s: float) -> None:
    """Extend the lease of every running job under ``token``."""
    connection.execute(
        update(jobs)
        .where(jobs.c.lease_token == token, jobs.c.state == JobState.RUNNING)
        .values(lease_expires_at=_in_seconds(lease_s))
    )


def hold(connection: Connection, job_id: str, token: str) -> None:
    """Lock a job's row for this transaction. LeaseLostError if ``token`` no longer holds it."""
    query = select(jobs.c.id).where(jobs.c.id == job_id, jobs.c.lease_token == token)
    if connection.execute(query.with_for_update()).scalar() is None:
        raise LeaseLostError(f"compression job {job_id}")


def set_state(
    connection: Connection, job_id: str, target: JobState, *, reason: str | None = None, **values: Any
) -> None:
    """The one place where a compression job changes its state."""
    if target is not JobState.RUNNING:
        values = {"lease_token": None, "lease_expires_at": None, **values}
    row = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.in_(sources_of(JOB_TRANSITIONS, target)))
        .values(state=target, reason=reason, finished_at=func.now() if target in TERMINAL else None, **values)
        .returning(*_TOLD)
    ).one_or_none()
    if row is None:
        raise ConflictError(f"compression job {job_id} is {get(connection, job_id).state}: it cannot become {target}")
    _tell(connection, row, target, reason)


def _tell(connection: Connection, row: Row[Any], state: JobState, reason: str | None) -> None:
    payload = {"job_id": row.id, "recipe": row.recipe["name"], "state": state, "reason": reason}
    events.emit(connection, row.study_id, "compression", payload, trial_id=row.trial_id)


def cancel_all(connection: Connection, study_id: str, reason: str) -> None:
    """Cancel every job of a study that has not ended."""
    open_jobs = select(jobs.c.id).where(jobs.c.study_id == study_id, jobs.c.state.not_in(TERMINAL))
    for job_id in connection.execute(open_jobs.with_for_update()).scalars().all():
        set_state(connection, job_id, JobState.CANCELLED, reason=reason)


def unfinished(connection: Connection, study_id: str) -> bool:
    query = select(jobs.c.id).where(jobs.c.study_id == study_id, jobs.c.state.not_in(TERMINAL))
    return connection.execute(query.limit(1)).scalar() is not None


def of_trial(connection: Connection, trial_id: str) -> Sequence[Row[Any]]:
    columns = [jobs.c[name] for name in ("id", "recipe", "state", "reason", "attempts", "created_at", "finished_at")]
    return connection.execute(select(*columns).where(jobs.c.trial_id == trial_id).order_by(jobs.c.id)).all()


def _in_seconds(seconds: float) -> Any:
    return func.now() + text(f"interval '{float(seconds)} seconds'")
