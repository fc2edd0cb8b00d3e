"""SQL of scorings on the test split: queued, carried out by a Ray job, and ended once."""

from sqlalchemy import Connection, RowMapping, insert, select

from search.contract.states import JOB_TRANSITIONS, TERMINAL_JOB_STATES, UNFINISHED_JOB_STATES, JobState, StudyState
from services.errors import NotFoundError
from services.records.scorings import Scoring
from services.records.tasks import Task
from services.store.attempts import (
    any_unfinished,
    cancel_unfinished,
    cancelled_lately,
    hold_attempt,
    record_attempt,
)
from services.store.state_change import Event, StateMachine, change_state, tell
from services.store.tables import studies
from services.store.tables import test_scorings as scorings


def _event(row: RowMapping) -> Event:
    payload = {"scoring_id": row["id"]}
    return Event(study_id=row["study_id"], kind="test_scoring", payload=payload, trial_id=row["trial_id"])


_STATES = StateMachine(
    noun="test scoring",
    table=scorings,
    state=scorings.c.state,
    transitions=JOB_TRANSITIONS,
    terminal=TERMINAL_JOB_STATES,
    event=_event,
)


def add(connection: Connection, *, scoring_id: str, study_id: str, trial_id: str | None = None) -> Scoring:
    """Queue the scoring of a study's picks, or of the full training of the trial ``trial_id``."""
    values = {"id": scoring_id, "study_id": study_id, "trial_id": trial_id, "state": JobState.QUEUED}
    row = connection.execute(insert(scorings).values(values).returning(*scorings.c)).mappings().one()
    tell(connection, _STATES, row, {"state": JobState.QUEUED})
    return Scoring.from_row(row)


def get(connection: Connection, scoring_id: str) -> Scoring:
    row = connection.execute(select(scorings).where(scorings.c.id == scoring_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("test scoring", scoring_id)
    return Scoring.from_row(row)


def list_by_study(connection: Connection, study_id: str) -> list[Scoring]:
    """A study's scorings, oldest first."""
    query = select(scorings).where(scorings.c.study_id == study_id).order_by(scorings.c.id)
    return [Scoring.from_row(row) for row in connection.execute(query).mappings()]


def to_run(connection: Connection) -> list[Task]:
    """Scorings that have not ended, oldest first."""
    paused = select(studies.c.id).where(studies.c.id == scorings.c.study_id, studies.c.state == StudyState.PAUSED)
    lost = (scorings.c.attempts - scorings.c.excused).label("lost")
    may_run = (~paused.exists()).label("may_run")
    query = select(scorings.c.id, scorings.c.state, scorings.c.reason, scorings.c.attempts, lost, may_run)
    unfinished = query.where(scorings.c.state.in_(UNFINISHED_JOB_STATES)).order_by(scorings.c.id)
    return [Task.from_row("test_scoring", row) for row in connection.execute(unfinished).mappings()]


def unfinished(connection: Connection, study_id: str) -> bool:
    return any_unfinished(connection, _STATES, study_id)


def cancelled(connection: Connection) -> list[tuple[str, int]]:
    """Those that were cancelled lately, with the number of their last job."""
    return cancelled_lately(connection, _STATES)


def record_submission(connection: Connection, scoring_id: str, seen: int, attempt: int) -> bool:
    """Note a Ray job before it is submitted; what an earlier one still writes is refused from now on.

    False, and nothing is noted, unless the ``seen``-th is still the last.
    """
    return record_attempt(connection, _STATES, scoring_id, seen=seen, attempt=attempt)


def begin(connection: Connection, scoring_id: str) -> Scoring:
    """Note that the job of a scoring has begun. ConflictError if it is not queued."""
    return Scoring.from_row(change_state(connection, _STATES, scoring_id, JobState.RUNNING))


def hold(connection: Connection, scoring_id: str, attempt: int) -> None:
    """Lock a scoring for this transaction. LeaseLostError if it has ended or a later job has it."""
    hold_attempt(connection, _STATES, scoring_id, attempt)


def requeue(connection: Connection, scoring_id: str, *, reason: str) -> None:
    """Have a scoring that runs wait for another job; its last one does not count as lost."""
    excused = {"excused": scorings.c.excused + 1}
    change_state(connection, _STATES, scoring_id, JobState.QUEUED, reason=reason, values=excused)


def end(connection: Connection, scoring_id: str, target: JobState, *, reason: str | None) -> None:
    """End a scoring. ConflictError if it has ended already."""
    change_state(connection, _STATES, scoring_id, target, reason=reason)


def cancel_all(connection: Connection, study_id: str, reason: str) -> None:
    """Cancel every scoring of a study that has not ended."""
    cancel_unfinished(connection, _STATES, study_id, reason)
