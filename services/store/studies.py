"""SQL of studies: insert, look up, change of state, and the driver's lease."""

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    and_,
    case,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.candidate import Enqueued
from search.contract.states import STUDY_TRANSITIONS, TERMINAL_STUDY_STATES, StudyState, TrialState
from search.contract.trials import TrialRole
from services.errors import ConflictError, LeaseLostError
from services.records.actions import Action
from services.records.json_object import JsonObject
from services.records.keys import KeyName
from services.records.studies import MOST_SKIPPED, ActiveStudy, LeasedStudy, Study, StudyProgress
from services.store import deletions, events
from services.store.clock import in_seconds
from services.store.prepared import ARGUMENT, Prepared
from services.store.state_change import Event, StateMachine, change_state
from services.store.tables import compression_jobs, enqueued_trials, studies, totals, trials
from services.store.tables import events as event_rows

_START_S = 120.0
#: So many of the studies that wait for a driver are looked at in a round of the controller.
_MOST_WAITING = 5000


def _waits(rows: FromClause) -> ColumnElement[bool]:
    """Whether a study waits for a driver."""
    return and_(rows.c.state == StudyState.QUEUED, rows.c.queued_at.is_not(None))


def _queue_position() -> ColumnElement[int]:
    """A study's place among those that wait for a driver, 1 for the one that waits longest; NULL if it does not."""
    others = studies.alias("others")
    not_later = tuple_(others.c.queued_at, others.c.id) <= tuple_(studies.c.queued_at, studies.c.id)
    place = select(func.count()).where(_waits(others), not_later).correlate(studies)
    return case((_waits(studies), place.scalar_subquery()))


def _queue() -> CTE:
    """The studies that wait for a driver, each with its ``position``: for listings, which would count once a row."""
    order = func.row_number().over(order_by=(studies.c.queued_at, studies.c.id))
    return select(studies.c.id, order.label("position")).where(_waits(studies)).cte("queue")


def _with_progress(queue_position: ColumnElement[int]) -> list[ColumnElement[object]]:
    """The columns of a study and, in the same snapshot, those of its progress.

    Who reads the events after ``last_event_id`` misses no change of them.
    """
    last_event = select(func.coalesce(func.max(event_rows.c.id), 0)).where(event_rows.c.study_id == studies.c.id)
    best_f1 = select(func.max(trials.c.f1)).where(trials.c.study_id == studies.c.id)
    completed = (trials.c.study_id == studies.c.id, trials.c.state == TrialState.COMPLETED)
    least_latency = select(func.min(trials.c.latency_ms)).where(*completed)
    spent = select(func.max(totals.c.amount)).where(totals.c.study_id == studies.c.id, totals.c.name == "spent")
    by_state = select(compression_jobs.c.state, func.count().label("count")).correlate(studies)
    by_state = by_state.where(compression_jobs.c.study_id == studies.c.id).group_by(compression_jobs.c.state)
    counted = by_state.subquery()
    return [
        *studies.c,
        last_event.scalar_subquery().label("last_event_id"),
        best_f1.scalar_subquery().label("best_f1"),
        least_latency.scalar_subquery().label("least_latency_ms"),
        func.coalesce(spent.scalar_subquery(), 0).label("spent"),
        queue_position.label("queue_position"),
        select(func.jsonb_object_agg(counted.c.state, counted.c.count)).scalar_subquery().label("compression"),
    ]


_WITH_PROGRESS = _with_progress(_queue_position())
_GET_WITH_PROGRESS = Prepared(
    "study_with_progress", select(*_WITH_PROGRESS).where(studies.c.id == ARGUMENT), _WITH_PROGRESS
)


_ADD_ONCE = upsert(studies).on_conflict_do_nothing(index_elements=["idempotency_key"]).returning(*studies.c)


def add(
    connection: Connection,
    *,
    study_id: str,
    name: str,
    spec: JsonObject,
    weights: Sequence[JsonObject],
    idempotency_key: str | None,
    request_sha256: str,
    by: KeyName | None = None,
) -> Study | None:
    """Insert a queued study; None if its idempotency key is taken."""
    values = {
        "id": study_id,
        "name": name,
        "state": StudyState.QUEUED,
        "spec": spec,
        "weights": weights,
        "idempotency_key": idempotency_key,
        "request_sha256": request_sha256,
        "created_by": None if by is None else by.as_json(),
    }
    row = connection.execute(_ADD_ONCE, values).mappings().one_or_none()
    if row is None:
        return None
    events.emit(connection, study_id, "study", {"state": StudyState.QUEUED})
    _tell_action(connection, study_id, Action.CREATE, by)
    return Study.from_row(row)


def note_action(connection: Connection, study_id: str, action: Action, by: KeyName | None) -> None:
    """Note the key of the user who asks for an action; nothing without a key."""
    if by is None:
        return
    column = "cancelled_by" if action is Action.CANCEL else "changed_by"
    set_values(connection, study_id, **{column: by.as_json()})
    _tell_action(connection, study_id, action, by)


def _tell_action(connection: Connection, study_id: str, action: Action, by: KeyName | None) -> None:
    if by is not None:
        events.emit(connection, study_id, "action", {"action": action, "by": by.as_json()})


def get(connection: Connection, study_id: str, *, lock: bool = False) -> Study:
    query = select(studies).where(studies.c.id == study_id)
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).mappings().one_or_none()
    if row is None:
        raise deletions.missing(connection, study_id)
    return Study.from_row(row)


def exists(connection: Connection, study_id: str) -> bool:
    return bool(connection.execute(select(select(studies.c.id).where(studies.c.id == study_id).exists())).scalar_one())


def get_with_progress(connection: Connection, study_id: str) -> tuple[Study, StudyProgress]:
    row = _GET_WITH_PROGRESS(connection, study_id).one_or_none()
    if row is None:
        raise deletions.missing(connection, study_id)
    return Study.from_row(row), StudyProgress.from_row(row)


def last_event_id(connection: Connection, study_id: str) -> int:
    """The id of a study's latest event, 0 before the first. NotFoundError if there is no such study."""
    latest = select(func.coalesce(func.max(event_rows.c.id), 0)).where(event_rows.c.study_id == studies.c.id)
    found = connection.execute(select(latest.scalar_subquery()).where(studies.c.id == study_id)).scalar_one_or_none()
    if found is None:
        raise deletions.missing(connection, study_id)
    return int(found)


def find_id(connection: Connection, name_or_id: str) -> str | None:
    """The id of the study with this id, or of the latest one with this name."""
    query = select(studies.c.id).where(or_(studies.c.id == name_or_id, studies.c.name == name_or_id))
    return (
        connection.execute(query.order_by((studies.c.id == name_or_id).desc(), studies.c.id.desc())).scalars().first()
    )


def get_by_idempotency_key(connection: Connection, key: str) -> Study:
    return Study.from_row(connection.execute(select(studies).where(studies.c.idempotency_key == key)).mappings().one())


def find_by_idempotency_key(connection: Connection, key: str) -> Study | None:
    row = connection.execute(select(studies).where(studies.c.idempotency_key == key)).mappings().one_or_none()
    return None if row is None else Study.from_row(row)


def list_with_progress(
    connection: Connection, *, state: StudyState | None, before_id: str | None, limit: int
) -> list[tuple[Study, StudyProgress]]:
    """Studies, newest first, that come after ``before_id`` in that order."""
    queue = _queue()
    query = select(*_with_progress(queue.c.position)).outerjoin_from(studies, queue, queue.c.id == studies.c.id)
    query = query.order_by(studies.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(studies.c.state == state)
    if before_id is not None:
        query = query.where(studies.c.id < before_id)
    return [(Study.from_row(row), StudyProgress.from_row(row)) for row in connection.execute(query).mappings()]


def list_active(connection: Connection, *, most_waiting: int = _MOST_WAITING) -> list[ActiveStudy]:
    """Studies that are not over, and those that ended in the last minutes and may still have a driver.

    Of those that wait for a driver, the ``most_waiting`` that began to first: however many are posted, this ends soon.
    """
    names = ("id", "state", "reason", "resources", "queued_at", "job_id", "job_attempt", "submissions", "searched_at")
    spec_resources = studies.c.spec["resources"].label("spec_resources")
    overdue = func.coalesce(studies.c.lease_expires_at < func.now(), False).label("overdue")
    just_over = and_(studies.c.job_id.is_not(None), studies.c.finished_at > func.now() - text("interval '10 minutes'"))
    query = select(*(studies.c[name] for name in names), spec_resources, overdue)
    first = select(studies.c.id).where(_waits(studies)).order_by(studies.c.queued_at, studies.c.id).limit(most_waiting)
    others = and_(studies.c.finished_at.is_(None), not_(_waits(studies)))
    query = query.where(or_(others, studies.c.id.in_(first), just_over)).order_by(studies.c.id)
    return [ActiveStudy.from_row(row) for row in connection.execute(query).mappings()]


def _event(row: RowMapping) -> Event:
    return Event(study_id=row["id"], kind="study", payload={})


_STATES = StateMachine(
    noun="study",
    table=studies,
    state=studies.c.state,
    transitions=STUDY_TRANSITIONS,
    terminal=TERMINAL_STUDY_STATES,
    event=_event,
    columns=[studies.c.id],
)


def set_state(
    connection: Connection, study_id: str, target: StudyState, *, reason: str | None = None, **values: object
) -> None:
    """Change a study's state. ConflictError if ``target`` may not be entered from the state that it has."""
    change_state(connection, _STATES, study_id, target, reason=reason, values=values)


def requeue(connection: Connection, study_id: str, *, reason: str) -> None:
    """Have a running study wait for another driver; the last one does not count as lost."""
    not_lost = {"submissions": func.greatest(studies.c.submissions - 1, 0)}
    set_state(connection, study_id, StudyState.QUEUED, reason=reason, lease_token=None, **not_lost)


def explain_queued(connection: Connection, reason: str) -> None:
    """Give every queued study the reason why it waits, and tell those who watch it."""
    waiting = and_(studies.c.state == StudyState.QUEUED, studies.c.reason.is_distinct_from(reason))
    changed = update(studies).where(waiting).values(reason=reason).returning(studies.c.id)
    for study_id in connection.execute(changed).scalars().all():
        events.emit(connection, study_id, "study", {"state": StudyState.QUEUED, "reason": reason})


def explain(connection: Connection, study_id: str, state: StudyState, reason: str | None) -> None:
    """Give a study that is in ``state`` the reason why it waits, or None, and tell those who watch it."""
    unexplained = and_(studies.c.id == study_id, studies.c.state == state, studies.c.reason.is_distinct_from(reason))
    changed = update(studies).where(unexplained).values(reason=reason).returning(studies.c.id)
    if connection.execute(changed).scalar() is not None:
        events.emit(connection, study_id, "study", {"state": state, "reason": reason})


def put_back(connection: Connection, study_id: str) -> None:
    """Have a study wait for a driver that it had: before those that it was started before."""
    began = func.coalesce(studies.c.queued_at, studies.c.started_at, studies.c.created_at)
    set_values(connection, study_id, queued_at=began)


def queue_position(connection: Connection, study_id: str) -> int | None:
    """A study's place among those that wait for a driver, from 1; None if it does not wait."""
    return connection.execute(select(_queue_position()).where(studies.c.id == study_id)).scalar_one()


def set_values(connection: Connection, study_id: str, **values: object) -> None:
    connection.execute(update(studies).where(studies.c.id == study_id).values(**values))


def set_dataset(
    connection: Connection,
    study_id: str,
    *,
    dataset_id: str,
    classes: Sequence[str],
    class_images: Sequence[int],
    skipped: Sequence[Mapping[str, str]],
) -> None:
    """Note what a study's data set is, once: ConflictError if that is known already.

    Of the ``skipped`` images, the first are named and all are counted.
    """
    values = {
        "dataset_id": dataset_id,
        "classes": classes,
        "class_images": class_images,
        "skipped": skipped[:MOST_SKIPPED],
        "skipped_count": len(skipped),
    }
    first = update(studies).where(studies.c.id == study_id, studies.c.dataset_id.is_(None)).values(**values)
    if connection.execute(first.returning(studies.c.id)).scalar() is None:
        raise ConflictError(f"study {study_id} has read its data set before")


def set_test_id(connection: Connection, study_id: str, test_id: str) -> None:
    """Note which test images models of a study were scored on, unless that is known already."""
    connection.execute(
        update(studies).where(studies.c.id == study_id, studies.c.test_id.is_(None)).values(test_id=test_id)
    )


def count_test_look(connection: Connection, study_id: str) -> None:
    """Note that models of a study were scored on its test split once more."""
    set_values(connection, study_id, test_looks=studies.c.test_looks + 1)


def record_submission(connection: Connection, study_id: str, job_id: str, attempt: int) -> None:
    """Note a Ray job before it is submitted, so that it is recognised after a crash in between.

    The study waits no longer: a reason why it did is gone. A driver that has not taken the lease within ``_START_S``
    counts as stuck.
    """
    set_values(
        connection,
        study_id,
        job_id=job_id,
        job_attempt=attempt,
        lease_expires_at=in_seconds(_START_S),
        queued_at=None,
        reason=case((studies.c.queued_at.is_(None), studies.c.reason)),
    )


def count_submission(connection: Connection, study_id: str) -> None:
    set_values(connection, study_id, submissions=studies.c.submissions + 1)


def take_lease(connection: Connection, study_id: str, token: str, *, lease_s: float) -> None:
    """Make ``token`` the study's only writer from now on, for ``lease_s`` seconds on the database's clock."""
    set_values(connection, study_id, lease_token=token, lease_expires_at=in_seconds(lease_s))


def extend_lease(connection: Connection, study_id: str, token: str, *, lease_s: float, elapsed_s: float) -> LeasedStudy:
    """Extend the lease and the searched time. LeaseLostError if another driver has the lease."""
    extended = (
        update(studies)
        .where(studies.c.id == study_id, studies.c.lease_token == token)
        .values(lease_expires_at=in_seconds(lease_s), search_elapsed_s=studies.c.search_elapsed_s + elapsed_s)
        .returning(studies.c.state, studies.c.spec, studies.c.search_elapsed_s)
    )
    row = connection.execute(extended).mappings().one_or_none()
    if row is None:
        raise LeaseLostError(f"study {study_id}")
    return LeasedStudy.from_row(row)


def lock_lease(connection: Connection, study_id: str, token: str) -> None:
    """Lock the study's row against a change of its lease for this transaction.

    LeaseLostError if another driver has the lease.
    """
    query = select(studies.c.id).where(studies.c.id == study_id, studies.c.lease_token == token)
    if connection.execute(query.with_for_update(key_share=True)).scalar() is None:
        raise LeaseLostError(f"study {study_id}")


def enqueue(connection: Connection, row_id: str, study_id: str, trial: Enqueued) -> None:
    values = {
        "id": row_id,
        "study_id": study_id,
        "assignment": dict(trial.assignment),
        "role": trial.role,
        "alone": trial.whole_gpu,
        "workers_lost": trial.workers_lost,
    }
    connection.execute(insert(enqueued_trials).values(values))


def enqueued(connection: Connection, study_id: str) -> dict[str, Enqueued]:
    """The queued choices by their id, oldest first."""
    query = select(enqueued_trials).where(enqueued_trials.c.study_id == study_id).order_by(enqueued_trials.c.id)
    return {row["id"]: _enqueued_from_row(row) for row in connection.execute(query).mappings()}


def dequeue(connection: Connection, queue_id: str) -> Enqueued:
    """Take choices off the queue."""
    taken = enqueued_trials.delete().where(enqueued_trials.c.id == queue_id).returning(*enqueued_trials.c)
    return _enqueued_from_row(connection.execute(taken).mappings().one())


def _enqueued_from_row(row: RowMapping) -> Enqueued:
    return Enqueued(
        assignment=row["assignment"],
        role=None if row["role"] is None else TrialRole(row["role"]),
        whole_gpu=row["alone"],
        workers_lost=row["workers_lost"],
    )
