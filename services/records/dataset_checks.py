"""Checks of registered data sets as the record holds them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from search.contract.dataset import DatasetSpec
from search.contract.history import read_stored
from search.contract.states import JobState
from services.records.json_object import JsonObject


@dataclass(frozen=True, kw_only=True)
class DatasetCheck:
    """A registered data set.

    ``dataset_id`` hashes its images and labels, ``report`` is a DatasetReport as JSON; both are None until the check is
    completed, and listings leave the report out. ``queue_position`` is 1 for the check that has waited longest for its
    first job; None where it does not wait, and where it was not asked for.
    """

    id: str
    spec: DatasetSpec
    state: JobState
    reason: str | None
    queue_position: int | None
    dataset_id: str | None
    report: JsonObject | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "DatasetCheck":
        return cls(
            id=row["id"],
            spec=read_stored(DatasetSpec, row["spec"]),
            state=row["state"],
            reason=row["reason"],
            queue_position=row.get("queue_position"),
            dataset_id=row["dataset_id"],
            report=row.get("report"),
            created_at=row["created_at"],
            finished_at=row["finished_at"],
        )
