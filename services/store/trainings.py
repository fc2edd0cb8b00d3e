"""SQL of trainings: a trial's candidate trained in full with several seeds, by a Ray job, and ended once."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.confusion import confusion_to_json
from search.contract.epochs import EpochReport
from search.contract.states import JOB_TRANSITIONS, TERMINAL_JOB_STATES, UNFINISHED_JOB_STATES, JobState, StudyState
from services.errors import NotFoundError
from services.records.tasks import Task
from services.records.trainings import Training, TrainingEpoch, TrainingRun
from services.store import events
from services.store.attempts import (
    any_unfinished,
    cancel_unfinished,
    cancelled_lately,
    hold_attempt,
    queue_position,
    record_attempt,
)
from services.store.state_change import Event, StateMachine, change_state, tell
from services.store.tables import compression_jobs, studies, training_epochs, training_runs, trainings

_EPOCH = ("epoch", "loss", "f1", "accuracy", "elapsed_s")


def _event(row: RowMapping) -> Event:
    payload = {"training_id": row["id"]}
    return Event(study_id=row["study_id"], kind="training", payload=payload, trial_id=row["trial_id"])


_STATES = StateMachine(
    noun="training",
    table=trainings,
    state=trainings.c.state,
    transitions=JOB_TRANSITIONS,
    terminal=TERMINAL_JOB_STATES,
    event=_event,
)


def _may_run(rows: FromClause) -> ColumnElement[bool]:
    owners = studies.alias("owners")
    paused = select(owners.c.id).where(owners.c.id == rows.c.study_id, owners.c.state == StudyState.PAUSED)
    return ~paused.exists()


_QUEUE_POSITION = queue_position(trainings, may_run=_may_run)


def add(connection: Connection, *, training_id: str, trial_id: str, study_id: str, epochs: int, seeds: int) -> Training:
    """Queue the full training of a trial's candidate."""
    values = {"trial_id": trial_id, "study_id": study_id, "epochs": epochs, "seeds": seeds}
    statement = insert(trainings).values(id=training_id, state=JobState.QUEUED, **values).returning(*trainings.c)
    row = connection.execute(statement).mappings().one()
    tell(connection, _STATES, row, {"state": JobState.QUEUED})
    return get(connection, training_id)


def get(connection: Connection, training_id: str) -> Training:
    query = select(trainings, _QUEUE_POSITION).where(trainings.c.id == training_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("training", training_id)
    return Training.from_row(row)


def of_trials(connection: Connection, trial_ids: Sequence[str]) -> dict[str, list[Training]]:
    """The trainings of each trial, oldest first."""
    query = select(trainings, _QUEUE_POSITION).where(trainings.c.trial_id.in_(trial_ids)).order_by(trainings.c.id)
    by_trial: dict[str, list[Training]] = {trial_id: [] for trial_id in trial_ids}
    for row in connection.execute(query).mappings():
        by_trial[row["trial_id"]].append(Training.from_row(row))
    return by_trial


def to_run(connection: Connection) -> list[Task]:
    """Trainings that have not ended, oldest first."""
    lost = (trainings.c.attempts - trainings.c.furthest_attempt).label("lost")
    resources = func.coalesce(studies.c.resources, studies.c.spec["resources"]).label("resources")
    may_run = _may_run(trainings).label("may_run")
    columns = (trainings.c.id, trainings.c.state, trainings.c.reason, trainings.c.attempts, lost, resources, may_run)
    query = select(*columns).join(studies, studies.c.id == trainings.c.study_id)
    unfinished = query.where(trainings.c.state.in_(UNFINISHED_JOB_STATES)).order_by(trainings.c.id)
    return [Task.from_row("training", row) for row in connection.execute(unfinished).mappings()]


def explain(connection: Connection, training_id: str, reason: str) -> None:
    """Say why a training that has not ended waits, once."""
    unexplained = update(trainings).where(
        trainings.c.id == training_id,
        trainings.c.state.in_(UNFINISHED_JOB_STATES),
        trainings.c.reason.is_distinct_from(reason),
    )
    row = connection.execute(unexplained.values(reason=reason).returning(*trainings.c)).mappings().one_or_none()
    if row is not None:
        tell(connection, _STATES, row, {"state": row["state"], "reason": reason})


def count_of_trial(connection: Connection, trial_id: str) -> int:
    """How many trainings a trial has had."""
    query = select(func.count()).where(trainings.c.trial_id == trial_id)
    return int(connection.execute(query).scalar_one())


def unfinished(connection: Connection, study_id: str) -> bool:
    return any_unfinished(connection, _STATES, study_id)


def cancelled(connection: Connection) -> list[tuple[str, int]]:
    """Those that were cancelled lately, with the number of their last job."""
    return cancelled_lately(connection, _STATES)


def record_submission(connection: Connection, training_id: str, seen: int, attempt: int) -> bool:
    """Note a Ray job before it is submitted; what an earlier one still writes is refused from now on.

    False, and nothing is noted, unless the ``seen``-th is still the last.
    """
    return record_attempt(connection, _STATES, training_id, seen=seen, attempt=attempt)


def begin(connection: Connection, training_id: str) -> Training:
    """Note that the job of a training has begun. ConflictError if it is not queued."""
    return Training.from_row(change_state(connection, _STATES, training_id, JobState.RUNNING))


def hold(connection: Connection, training_id: str, attempt: int) -> Training:
    """Lock a training for this transaction. LeaseLostError if it has ended or a later job has it."""
    return Training.from_row(hold_attempt(connection, _STATES, training_id, attempt))


def add_epoch(connection: Connection, training: Training, seed: int, epoch: EpochReport) -> None:
    """Record an epoch of one seed's run. One that was recorded before is ignored, and counts as no progress."""
    values = {"seed": seed, **{name: getattr(epoch, name) for name in _EPOCH}}
    once = upsert(training_epochs).values(training_id=training.id, **values).on_conflict_do_nothing()
    if connection.execute(once.returning(training_epochs.c.epoch)).scalar() is None:
        return
    furthest = update(trainings).where(trainings.c.id == training.id)
    connection.execute(furthest.values(furthest_attempt=training.attempts))
    payload = {"training_id": training.id, **values}
    events.emit(connection, training.study_id, "training_epoch", payload, trial_id=training.trial_id)


def add_run(connection: Connection, training_id: str, run: TrainingRun) -> None:
    """Record a seed's result; idempotent."""
    values = {name: value for name, value in vars(run).items() if name not in ("confusion", "confusion_summary")}
    confusion = confusion_to_json(run.confusion if run.confusion_summary is None else run.confusion_summary)
    added = upsert(training_runs).values(training_id=training_id, confusion=confusion, **values)
    connection.execute(added.on_conflict_do_nothing())


def runs(connection: Connection, training_id: str) -> list[TrainingRun]:
    """The results of the seeds that are done, by seed."""
    query = select(training_runs).where(training_runs.c.training_id == training_id).order_by(training_runs.c.seed)
    return [TrainingRun.from_row(row) for row in connection.execute(query).mappings()]


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


def curves(connection: Connection, training_id: str) -> list[TrainingEpoch]:
    """Every epoch of every seed, in order."""
    columns = [training_epochs.c[name] for name in ("seed", *_EPOCH)]
    query = select(*columns).where(training_epochs.c.training_id == training_id).order_by(*columns[:2])
    return [TrainingEpoch.from_row(row) for row in connection.execute(query).mappings()]


def complete(connection: Connection, training_id: str, *, f1: float, f1_deviation: float) -> None:
    """End a training with its seeds' mean f1 and their standard deviation. ConflictError if it has ended already."""
    metrics = {"f1": f1, "f1_deviation": f1_deviation}
    change_state(connection, _STATES, training_id, JobState.COMPLETED, values=metrics, details=metrics)


def requeue(connection: Connection, training_id: str, *, reason: str) -> None:
    """Have a training that runs wait for another job; its last one does not count as lost."""
    not_lost = {"furthest_attempt": trainings.c.attempts}
    change_state(connection, _STATES, training_id, JobState.QUEUED, reason=reason, values=not_lost)


def end(connection: Connection, training_id: str, target: JobState, *, reason: str) -> None:
    """End a training without a result. ConflictError if it has ended already."""
    change_state(connection, _STATES, training_id, target, reason=reason)


def cancel_all(connection: Connection, study_id: str, reason: str) -> None:
    """Cancel every training of a study that has not ended."""
    cancel_unfinished(connection, _STATES, study_id, reason)
