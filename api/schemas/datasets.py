"""Registered data sets."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import DatasetReport
from search.contract.history import as_history
from search.contract.states import JobState


class DatasetSummary(BaseModel):
    """A registered data set."""

    id: str = Field(description="The id of this registration.")
    state: JobState = Field(description="The state of its check.")
    reason: str | None = Field(description="Why the check failed or was cancelled; null otherwise.")
    queue_position: int | None = Field(
        default=None,
        description="Its place among the checks that wait to start, 1 for the one that has waited longest; null if it "
        "does not wait.",
    )
    spec: Annotated[DatasetSpec, as_history(DatasetSpec)] = Field(description="The data set as it was registered.")
    dataset_id: str | None = Field(
        description="A hash of the images and their labels, as studies name it; null until it has been checked."
    )
    created_at: datetime = Field(description="When it was registered.")
    finished_at: datetime | None = Field(description="When its check ended; null before.")


class DatasetView(DatasetSummary):
    """A registered data set with the report of its check."""

    report: DatasetReport | None = Field(description="The result of the check; null until it is COMPLETED.")
