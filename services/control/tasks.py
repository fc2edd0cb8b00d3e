"""The kinds of tasks: which rows wait for a Ray job, how an attempt is noted, and how a task is given up."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from services.records.tasks import Task, TaskKind, job_name
from services.store import dataset_checks, scorings, trainings
from services.studies import life_cycle

MAX_LOST = 3


@dataclass(frozen=True, kw_only=True)
class TaskHandler:
    """What the controller does with one kind of task.

    ``module`` is run with a row's id. ``record_submission`` notes an attempt before it is submitted, and is False where
    another attempt was noted since. ``fail`` ends a task with the reason.
    """

    module: str
    record_submission: Callable[[Connection, str, int, int], bool]
    fail: Callable[[Connection, str, str], None]


HANDLERS: dict[TaskKind, TaskHandler] = {
    "dataset": TaskHandler(
        module="services.jobs.dataset_job",
        record_submission=dataset_checks.record_submission,
        fail=dataset_checks.fail,
    ),
    "training": TaskHandler(
        module="services.jobs.training_job",
        record_submission=trainings.record_submission,
        fail=life_cycle.fail_training,
    ),
    "test_scoring": TaskHandler(
        module="services.jobs.test_scoring_job",
        record_submission=scorings.record_submission,
        fail=life_cycle.fail_scoring,
    ),
}


def list_cancelled_jobs(connection: Connection) -> list[str]:
    """The last Ray job of each task that was cancelled lately, which may still run."""
    cancelled = (store.cancelled(connection) for store in (dataset_checks, trainings, scorings))
    return [job_name(row_id, attempt) for rows in cancelled for row_id, attempt in rows]


def list_tasks(connection: Connection) -> list[Task]:
    """Every task that has not ended, oldest first of each kind."""
    return [*dataset_checks.to_run(connection), *trainings.to_run(connection), *scorings.to_run(connection)]
