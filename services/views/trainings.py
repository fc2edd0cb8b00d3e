"""Full trainings with their runs and curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from services.records.trainings import Training, TrainingEpoch, TrainingRun
from services.store import trainings


@dataclass(frozen=True, kw_only=True)
class FullTraining(Training):
    """A training with the result of each seed that is done and every epoch so far."""

    runs: Sequence[TrainingRun]
    curves: Sequence[TrainingEpoch]


def get_full(connection: Connection, training_id: str) -> FullTraining:
    training = trainings.get(connection, training_id)
    return FullTraining(
        **vars(training),
        runs=trainings.runs(connection, training_id),
        curves=trainings.curves(connection, training_id),
    )
