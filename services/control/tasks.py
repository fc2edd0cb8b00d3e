"""Kinds of rows that one Ray job each works on until they end, again and again while that brings them further."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from search.contract.states import JobState
from services.store import dataset_checks, trainings
from services.studies import commands

MAX_LOST = 3


@dataclass(frozen=True, kw_only=True)
class TaskKind:
    """``to_run`` finds the rows (id, state, attempts, lost) that have not ended; ``record`` notes an attempt before it
    is submitted, and is False where another was noted since; ``fail`` ends a row whose attempts were lost. ``module``
    is run with a row's id.
    """

    module: str
    to_run: Callable[[Connection], Sequence[Row[Any]]]
    record: Callable[[Connection, str, int, int], bool]
    fail: Callable[[Connection, str, str], None]


KINDS = {
    "dataset": TaskKind(
        module="services.jobs.dataset_job",
        to_run=dataset_checks.to_run,
        record=dataset_checks.record_submission,
        fail=lambda connection, row_id, reason: dataset_checks.end(connection, row_id, JobState.FAILED, reason=reason),
    ),
    "training": TaskKind(
        module="services.jobs.training_job",
        to_run=trainings.to_run,
        record=trainings.record_submission,
        fail=lambda connection, row_id, reason: commands.end_training(
            connection, row_id, JobState.FAILED, reason=reason
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Task:
    """A row that has not ended, RUNNING once its job has begun; ``lost``: its attempts since it last got further."""

    kind: str
    row_id: str
    state: JobState
    attempts: int
    lost: int


def job_name(row_id: str, attempt: int) -> str:
    """The id of the Ray job that works on a row the ``attempt``-th time."""
    return f"{row_id}-{attempt}"


def to_run(connection: Connection) -> list[Task]:
    """Every task that has not ended."""
    return [
        Task(kind=name, row_id=row.id, state=row.state, attempts=row.attempts, lost=row.lost)
        for name, kind in KINDS.items()
        for row in kind.to_run(connection)
    ]
