"""Trainings: candidates of trials, trained in full with several seeds."""

from fastapi import APIRouter

from api.schemas import TrainingDetail
from api.server.state import State
from services.views import trainings

router = APIRouter(prefix="/trainings", tags=["trials"])


@router.get("/{training_id}")
def get_training(training_id: str, state: State) -> TrainingDetail:
    """A training with each seed's result and every epoch so far."""
    with state.reader.connect() as connection:
        return TrainingDetail.model_validate(trainings.get_full(connection, training_id), from_attributes=True)
