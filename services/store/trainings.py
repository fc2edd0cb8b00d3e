"""SQL of trainings: a trial's candidate trained in full with several seeds, by a Ray job, and ended once."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.states import UNFINISHED_JOB_STATES, JobState, StudyState
from services.errors import LeaseLostError, NotFoundError
from services.store import events
from services.store.tables import compression_jobs, studies, training_epochs, training_runs, trainings

_EPOCH = ("epoch", "loss", "f1", "accuracy", "elapsed_s")


def add(connection: Connection, *, training_id: str, trial_id: str, study_id: str, epochs: int, seeds: int) -> None:
    values = {"trial_id": trial_id, "study_id": study_id, "epochs": epochs, "seeds": seeds}
    connection.execute(insert(trainings).values(id=training_id, state=JobState.QUEUED, **values))
    payload = {"training_id": training_id, "state": JobState.QUEUED}
    events.emit(connection, study_id, "training", payload, trial_id=trial_id)


def get(connection: Connection, training_id: str) -> Row[Any]:
    row = connection.execute(select(trainings).where(trainings.c.id == training_id)).one_or_none()
    if row is None:
        raise NotFoundError("training", training_id)
    return row


def of_trials(connection: Connection, trial_ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """The trainings of each trial, oldest first."""
    query = select(trainings).where(trainings.c.trial_id.in_(trial_ids)).order_by(trainings.c.id)
    found: dict[str, list[Row[Any]]] = {trial_id: [] for trial_id in trial_ids}
    for row in connection.execute(query):
        found[row.trial_id].append(row)
    return found


def to_run(connection: Connection) -> Sequence[Row[Any]]:
    """Trainings that have not ended, of studies that are not paused."""
    paused = select(studies.c.id).where(studies.c.id == trainings.c.study_id, studies.c.state == StudyState.PAUSED)
    lost = (trainings.c.attempts - trainings.c.furthest_attempt).label("lost")
    query: Select[Any] = select(trainings.c.id, trainings.c.state, trainings.c.attempts, lost)
    return connection.execute(query.where(trainings.c.state.in_(UNFINISHED_JOB_STATES), ~paused.exists())).all()


def unfinished(connection: Connection, study_id: str) -> bool:
    query = select(trainings.c.id).where(trainings.c.study_id == study_id, trainings.c.state.in_(UNFINISHED_JOB_STATES))
    return connection.execute(query.limit(1)).scalar() is not None


def record_submission(connection: Connection, training_id: str, seen: int, attempt: int) -> bool:
    """Note a Ray job before it is submitted; what an earlier one still writes is refused from now on.

    False, and nothing is noted, unless the ``seen``-th is still the last.
    """
    unchanged = update(trainings).where(
        trainings.c.id == training_id, trainings.c.attempts == seen, trainings.c.state.in_(UNFINISHED_JOB_STATES)
    )
    return bool(connection.execute(unchanged.values(attempts=attempt, state=JobState.QUEUED)).rowcount)


def begin(connection: Connection, training_id: str) -> None:
    """Note that the job of a training has begun."""
    queued = update(trainings).where(trainings.c.id == training_id, trainings.c.state == JobState.QUEUED)
    connection.execute(queued.values(state=JobState.RUNNING))


def hold(connection: Connection, training_id: str, attempt: int) -> Row[Any]:
    """Lock a training for this transaction. LeaseLostError if it has ended or a later job has it."""
    query = select(trainings).where(trainings.c.id == training_id, trainings.c.attempts == attempt)
    row = connection.execute(query.where(trainings.c.state.in_(UNFINISHED_JOB_STATES)).with_for_update()).one_or_none()
    if row is None:
        raise LeaseLostError(f"training {training_id}")
    return row


def add_epoch(connection: Connection, training: Row[Any], seed: int, epoch: Mapping[str, float]) -> None:
    """Record an epoch of one seed's run; one that a checkpoint brings again is passed over, and is no progress."""
    values = {"seed": seed, **{name: epoch[name] for name in _EPOCH}}
    once = upsert(training_epochs).values(training_id=training.id, **values).on_conflict_do_nothing()
    if connection.execute(once.returning(training_epochs.c.epoch)).scalar() is None:
        return
    furthest = update(trainings).where(trainings.c.id == training.id)
    connection.execute(furthest.values(furthest_attempt=training.attempts))
    payload = {"training_id": training.id, **values}
    events.emit(connection, training.study_id, "training_epoch", payload, trial_id=training.trial_id)


def add_run(connection: Connection, training_id: str, values: Mapping[str, Any]) -> None:
    """Record a seed's result; once more is no harm."""
    connection.execute(upsert(training_runs).values(training_id=training_id, **values).on_conflict_do_nothing())


def runs(connection: Connection, training_id: str) -> Sequence[Row[Any]]:
    query = select(training_runs).where(training_runs.c.training_id == training_id)
    return connection.execute(query.order_by(training_runs.c.seed)).all()


def of_job(connection: Connection, job_id: str) -> str | None:
    """The training whose weights a compression job works on, or None."""
    query = (
        select(training_runs.c.training_id)
        .join(compression_jobs, compression_jobs.c.weights_sha256 == training_runs.c.weights_sha256)
        .join(trainings, trainings.c.id == training_runs.c.training_id)
        .where(compression_jobs.c.id == job_id, trainings.c.trial_id == compression_jobs.c.trial_id)
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def curves(connection: Connection, training_id: str) -> list[dict[str, Any]]:
    """Every epoch of every seed, in order."""
    columns = [training_epochs.c[name] for name in ("seed", *_EPOCH)]
    query = select(*columns).where(training_epochs.c.training_id == training_id)
    return [dict(row) for row in connection.execute(query.order_by(*columns[:2])).mappings()]


def end(
    connection: Connection, training_id: str, target: JobState, *, reason: str | None = None, **metrics: float
) -> None:
    """The one place where a training ends; nothing if it has ended already."""
    row = connection.execute(
        update(trainings)
        .where(trainings.c.id == training_id, trainings.c.state.in_(UNFINISHED_JOB_STATES))
        .values(state=target, reason=reason, finished_at=func.now(), **metrics)
        .returning(trainings.c.study_id, trainings.c.trial_id)
    ).one_or_none()
    if row is not None:
        payload = {"training_id": training_id, "state": target, "reason": reason, **metrics}
        events.emit(connection, row.study_id, "training", payload, trial_id=row.trial_id)


def cancel_all(connection: Connection, study_id: str, reason: str) -> None:
    """Cancel every training of a study that has not ended."""
    query = select(trainings.c.id).where(trainings.c.study_id == study_id, trainings.c.state.in_(UNFINISHED_JOB_STATES))
    for training_id in connection.execute(query).scalars().all():
        end(connection, training_id, JobState.CANCELLED, reason=reason)
