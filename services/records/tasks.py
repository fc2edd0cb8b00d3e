"""Tasks: data-set checks, trainings and test scorings, each carried out by Ray jobs of its own until it ends."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import RowMapping

from search.contract.history import read_stored
from search.contract.states import JobState
from search.study.run_spec import ResourcesSpec

TaskKind = Literal["dataset", "training", "test_scoring"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task that has not ended; it is RUNNING once its Ray job has begun.

    ``attempts`` counts its Ray jobs, ``lost`` those since it last made progress. ``resources`` are those of each seed
    of a training, None for other kinds. It ``may_run`` unless its study is paused.
    """

    kind: TaskKind
    row_id: str
    state: JobState
    attempts: int
    lost: int
    reason: str | None
    resources: ResourcesSpec | None
    may_run: bool

    @classmethod
    def from_row(cls, kind: TaskKind, row: RowMapping) -> "Task":
        resources = row.get("resources")
        return cls(
            kind=kind,
            row_id=row["id"],
            state=row["state"],
            attempts=row["attempts"],
            lost=row["lost"],
            reason=row["reason"],
            resources=None if resources is None else read_stored(ResourcesSpec, resources),
            may_run=row.get("may_run", True),
        )


def job_name(row_id: str, attempt: int) -> str:
    """The id of the Ray job that works on a row the ``attempt``-th time."""
    return f"{row_id}-{attempt}"
