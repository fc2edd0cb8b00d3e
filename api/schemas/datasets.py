"""Registered data sets."""

from datetime import datetime

from pydantic import BaseModel, Field

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import DatasetReport
from search.contract.states import JobState


class DatasetSummary(BaseModel):
    """A registered data set. ``id`` is the registration's; ``dataset_id`` is known when it has been checked."""

    id: str
    state: JobState
    reason: str | None
    spec: DatasetSpec
    dataset_id: str | None = Field(description="a hash of the images and their labels, as studies name it")
    created_at: datetime
    finished_at: datetime | None


class DatasetView(DatasetSummary):
    report: DatasetReport | None = Field(description="what was found, once the state is COMPLETED")
