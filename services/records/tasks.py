"""Tasks: data-set checks, trainings and test scorings, each carried out by Ray jobs of its own until it ends."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import RowMapping

from search.contract.states import JobState

TaskKind = Literal["dataset", "training", "test_scoring"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task that has not ended; it is RUNNING once its Ray job has begun.

    ``attempts`` counts its Ray jobs, ``lost`` those since it last made progress.
    """

    kind: TaskKind
    row_id: str
    state: JobState
    attempts: int
    lost: int

    @classmethod
    def from_row(cls, kind: TaskKind, row: RowMapping) -> "Task":
        return cls(kind=kind, row_id=row["id"], state=row["state"], attempts=row["attempts"], lost=row["lost"])
