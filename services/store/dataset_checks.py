"""SQL of data-set checks: registered, carried out by a Ray job, and ended once."""

from sqlalchemy import Connection, insert, or_, select

from search.contract.dataset import DatasetSpec
from search.contract.states import JOB_TRANSITIONS, TERMINAL_JOB_STATES, UNFINISHED_JOB_STATES, JobState
from services.errors import NotFoundError
from services.records.dataset_checks import DatasetCheck
from services.records.json_object import JsonObject
from services.records.tasks import Task
from services.store.attempts import cancelled_lately, queue_position, record_attempt
from services.store.state_change import StateMachine, change_state
from services.store.tables import dataset_checks as checks

#: Events belong to studies: a check has none.
_STATES = StateMachine(
    noun="data set", table=checks, state=checks.c.state, transitions=JOB_TRANSITIONS, terminal=TERMINAL_JOB_STATES
)

_QUEUE_POSITION = queue_position(checks)


def add(connection: Connection, check_id: str, spec: DatasetSpec) -> DatasetCheck:
    """Register a data set."""
    values = {"id": check_id, "spec": spec.model_dump(mode="json"), "state": JobState.QUEUED}
    connection.execute(insert(checks).values(values))
    return get(connection, check_id)


def get(connection: Connection, identifier: str) -> DatasetCheck:
    """A check by its id, or the latest whose data set has this content's id. NotFoundError if there is none."""
    query = select(checks, _QUEUE_POSITION).where(or_(checks.c.id == identifier, checks.c.dataset_id == identifier))
    row = connection.execute(query.order_by(checks.c.id.desc()).limit(1)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("data set", identifier)
    return DatasetCheck.from_row(row)


def page(connection: Connection, *, before_id: str | None, limit: int) -> list[DatasetCheck]:
    """Checks, newest first, without their reports, that come after ``before_id`` in that order."""
    columns = [column for column in checks.c if column.name != "report"]
    query = select(*columns, _QUEUE_POSITION).order_by(checks.c.id.desc())
    if before_id is not None:
        query = query.where(checks.c.id < before_id)
    return [DatasetCheck.from_row(row) for row in connection.execute(query.limit(limit)).mappings()]


def to_run(connection: Connection) -> list[Task]:
    """Checks that have not ended, oldest first."""
    lost = checks.c.attempts.label("lost")
    query = select(checks.c.id, checks.c.state, checks.c.reason, checks.c.attempts, lost)
    unfinished = query.where(checks.c.state.in_(UNFINISHED_JOB_STATES)).order_by(checks.c.id)
    return [Task.from_row("dataset", row) for row in connection.execute(unfinished).mappings()]


def cancelled(connection: Connection) -> list[tuple[str, int]]:
    """Those that were cancelled lately, with the number of their last job."""
    return cancelled_lately(connection, _STATES)


def record_submission(connection: Connection, check_id: str, seen: int, attempt: int) -> bool:
    """Note a Ray job before it is submitted. False, and nothing is noted, unless the ``seen``-th is still the last."""
    return record_attempt(connection, _STATES, check_id, seen=seen, attempt=attempt)


def begin(connection: Connection, check_id: str) -> DatasetCheck:
    """Note that the job of a check has begun. ConflictError if it is not queued."""
    return DatasetCheck.from_row(change_state(connection, _STATES, check_id, JobState.RUNNING))


def complete(connection: Connection, check_id: str, report: JsonObject) -> None:
    """End a check with its report, a DatasetReport as JSON. ConflictError if it has ended already."""
    values = {"report": report, "dataset_id": report["id"]}
    change_state(connection, _STATES, check_id, JobState.COMPLETED, values=values)


def fail(connection: Connection, check_id: str, reason: str) -> None:
    """End a check without a report. ConflictError if it has ended already."""
    change_state(connection, _STATES, check_id, JobState.FAILED, reason=reason)


def cancel(connection: Connection, check_id: str, reason: str) -> DatasetCheck:
    """End a check from outside. NotFoundError if there is none; ConflictError if it has ended already."""
    row = change_state(connection, _STATES, check_id, JobState.CANCELLED, reason=reason)
    return DatasetCheck.from_row(row)
