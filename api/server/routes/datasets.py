"""Data sets: register and check one, look at what was found."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.schemas import DatasetSummary, DatasetView, Page
from api.server.state import State
from search.contract.dataset import DatasetSpec
from services import datasets
from services.studies import admission

router = APIRouter(prefix="/datasets", tags=["datasets"])


@router.post("", status_code=201)
def create_dataset(spec: DatasetSpec, response: Response, state: State) -> DatasetView:
    """Register a data set and have it checked: every image is read and decoded once."""
    checked = admission.admit_dataset(spec, state.settings.data_roots)
    with state.engine.begin() as connection:
        registered = datasets.register(connection, checked)
    response.headers["Location"] = f"/datasets/{registered.id}"
    return DatasetView.model_validate(registered, from_attributes=True)


@router.get("")
def list_datasets(
    state: State, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> Page[DatasetSummary]:
    """Data sets that were registered, newest first, without their reports."""
    with state.reader.connect() as connection:
        page = datasets.list_page(connection, cursor=cursor, limit=limit)
    return Page[DatasetSummary].model_validate(page, from_attributes=True)


@router.get("/{dataset_id}")
def get_dataset(dataset_id: str, state: State) -> DatasetView:
    """A data set by the id it was registered under, or by the hash of its images and labels that a study names."""
    with state.reader.connect() as connection:
        return DatasetView.model_validate(datasets.get(connection, dataset_id), from_attributes=True)


@router.post("/{dataset_id}/cancel")
def cancel_dataset(dataset_id: str, state: State) -> DatasetView:
    """End the check of a data set that is queued or running, by the id it was registered under."""
    with state.engine.begin() as connection:
        return DatasetView.model_validate(datasets.cancel(connection, dataset_id), from_attributes=True)
