"""Attempts: the Ray jobs that one row has had, noted before each is submitted."""

from sqlalchemy import Connection, update

from search.contract.states import UNFINISHED_JOB_STATES, JobState
from services.store.state_change import StateMachine, change_state


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
