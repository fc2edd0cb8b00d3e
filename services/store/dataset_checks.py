"""SQL of data-set checks: registered, run by a Ray job, and ended once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, or_, select, update

from search.contract.states import UNFINISHED_JOB_STATES, JobState
from services.errors import NotFoundError
from services.store.tables import dataset_checks as checks


def add(connection: Connection, check_id: str, spec: dict[str, Any]) -> None:
    connection.execute(insert(checks).values(id=check_id, spec=spec, state=JobState.QUEUED))


def get(connection: Connection, identifier: str) -> Row[Any]:
    """A check by its id, or the latest that found the data set of this id. NotFoundError if there is none."""
    query = select(checks).where(or_(checks.c.id == identifier, checks.c.dataset_id == identifier))
    row = connection.execute(query.order_by(checks.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        raise NotFoundError("data set", identifier)
    return row


def page(connection: Connection, *, before_id: str | None, limit: int) -> Sequence[Row[Any]]:
    """Checks, newest first, without their reports, that come after ``before_id`` in that order."""
    query: Select[Any] = select(*(column for column in checks.c if column.name != "report"))
    query = query.order_by(checks.c.id.desc()).limit(limit)
    return connection.execute(query if before_id is None else query.where(checks.c.id < before_id)).all()


def to_run(connection: Connection) -> Sequence[Row[Any]]:
    query: Select[Any] = select(checks.c.id, checks.c.state, checks.c.attempts, checks.c.attempts.label("lost"))
    return connection.execute(query.where(checks.c.state.in_(UNFINISHED_JOB_STATES)).order_by(checks.c.id)).all()


def record_submission(connection: Connection, check_id: str, seen: int, attempt: int) -> bool:
    """Note a Ray job before it is submitted. False, and nothing is noted, unless the ``seen``-th is still the last."""
    unchanged = update(checks).where(
        checks.c.id == check_id, checks.c.attempts == seen, checks.c.state.in_(UNFINISHED_JOB_STATES)
    )
    return bool(connection.execute(unchanged.values(attempts=attempt, state=JobState.QUEUED)).rowcount)


def begin(connection: Connection, check_id: str) -> None:
    """Note that the job of a check has begun."""
    queued = update(checks).where(checks.c.id == check_id, checks.c.state == JobState.QUEUED)
    connection.execute(queued.values(state=JobState.RUNNING))


def end(
    connection: Connection,
    check_id: str,
    target: JobState,
    *,
    reason: str | None = None,
    report: dict[str, Any] | None = None,
) -> None:
    """The one place where a check ends; nothing if it has ended already."""
    values = {"state": target, "reason": reason, "report": report, "dataset_id": report and report["id"]}
    unended = update(checks).where(checks.c.id == check_id, checks.c.state.in_(UNFINISHED_JOB_STATES))
    connection.execute(unended.values(finished_at=func.now(), **values))
