"""Attempts: the Ray jobs of one row, noted before each is submitted. A row without one waits for its first."""

from collections.abc import Callable

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    Table,
    and_,
    case,
    func,
    select,
    text,
    true,
    update,
)

from search.contract.states import UNFINISHED_JOB_STATES, JobState
from services.errors import LeaseLostError
from services.store.state_change import StateMachine, change_state


def queue_position(
    table: Table, *, may_run: Callable[[FromClause], ColumnElement[bool]] = lambda _: true()
) -> ColumnElement[int]:
    """A row's place among those that wait for their first job, 1 for the oldest; NULL where it does not wait.

    Rows that ``may_run`` says no to are passed over.
    """

    def waits(rows: FromClause) -> ColumnElement[bool]:
        return and_(rows.c.state == JobState.QUEUED, rows.c.attempts == 0, may_run(rows))

    others = table.alias("others")
    place = select(func.count()).select_from(others).where(waits(others), others.c.id <= table.c.id).correlate(table)
    return case((waits(table), place.scalar_subquery())).label("queue_position")


def record_attempt(
    connection: Connection, machine: StateMachine[JobState], row_id: str, *, seen: int, attempt: int
) -> bool:
    """Note that a row's ``attempt``-th job is about to be submitted, and have the row wait for it.

    False, and nothing is noted, unless the row is unfinished and the ``seen``-th is still its last job.
    """
    table = machine.table
    unchanged = update(table).where(
        table.c.id == row_id, table.c.attempts == seen, table.c.state.in_(UNFINISHED_JOB_STATES)
    )
    state = connection.execute(unchanged.values(attempts=attempt).returning(table.c.state)).scalar()
    if state is JobState.RUNNING:
        change_state(connection, machine, row_id, JobState.QUEUED)
    return state is not None


def cancelled_lately(connection: Connection, machine: StateMachine[JobState]) -> list[tuple[str, int]]:
    """Rows that were cancelled in the last minutes, whose last job may still run: their ids and attempts."""
    table = machine.table
    lately = table.c.finished_at > func.now() - text("interval '10 minutes'")
    query = select(table.c.id, table.c.attempts).where(table.c.state == JobState.CANCELLED, table.c.attempts > 0)
    return [(row.id, row.attempts) for row in connection.execute(query.where(lately))]


def hold_attempt(connection: Connection, machine: StateMachine[JobState], row_id: str, attempt: int) -> RowMapping:
    """Lock a row for this transaction. LeaseLostError if it has ended or a later job has it."""
    table = machine.table
    query = select(table).where(
        table.c.id == row_id, table.c.attempts == attempt, table.c.state.in_(UNFINISHED_JOB_STATES)
    )
    row = connection.execute(query.with_for_update()).mappings().one_or_none()
    if row is None:
        raise LeaseLostError(f"{machine.noun} {row_id}")
    return row


def any_unfinished(connection: Connection, machine: StateMachine[JobState], study_id: str) -> bool:
    """Whether a study has rows that have not ended."""
    return connection.execute(_unfinished(machine, study_id).limit(1)).scalar() is not None


def cancel_unfinished(connection: Connection, machine: StateMachine[JobState], study_id: str, reason: str) -> None:
    """Cancel the rows of a study that have not ended."""
    for row_id in connection.execute(_unfinished(machine, study_id).with_for_update()).scalars().all():
        change_state(connection, machine, row_id, JobState.CANCELLED, reason=reason)


def _unfinished(machine: StateMachine[JobState], study_id: str) -> Select[str]:
    """The ids of a study's rows that have not ended."""
    table = machine.table
    return select(table.c.id).where(table.c.study_id == study_id, table.c.state.in_(UNFINISHED_JOB_STATES))
