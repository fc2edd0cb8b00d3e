"""Full trainings of trials' candidates as the record holds them: a training, its epochs, and one run per seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from search.contract.confusion import ConfusionSummary, Matrix, confusion_from_json
from search.contract.states import JobState


@dataclass(frozen=True, kw_only=True)
class Training:
    """A candidate that is trained with several seeds.

    ``attempts`` counts its Ray jobs, ``furthest_attempt`` is the last one that recorded a new epoch. ``f1`` is the mean
    over the seeds and ``f1_deviation`` its sample standard deviation; None until the training is completed.
    ``queue_position`` is 1 for the training that has waited longest for its first job; None where it does not wait, and
    where it was not asked for.
    """

    id: str
    trial_id: str
    study_id: str
    epochs: int
    seeds: int
    state: JobState
    reason: str | None
    queue_position: int | None
    attempts: int
    furthest_attempt: int
    f1: float | None
    f1_deviation: float | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "Training":
        return cls(
            id=row["id"],
            trial_id=row["trial_id"],
            study_id=row["study_id"],
            epochs=row["epochs"],
            seeds=row["seeds"],
            state=row["state"],
            reason=row["reason"],
            queue_position=row.get("queue_position"),
            attempts=row["attempts"],
            furthest_attempt=row["furthest_attempt"],
            f1=row["f1"],
            f1_deviation=row["f1_deviation"],
            created_at=row["created_at"],
            finished_at=row["finished_at"],
        )


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """What one seed reached. ``per_class_f1`` and ``confusion`` (rows: true class) follow the study's classes; of many
    classes there is a summary.
    """

    seed: int
    f1: float
    accuracy: float
    per_class_f1: Sequence[float]
    confusion: Matrix | None
    confusion_summary: ConfusionSummary | None = None
    weights_sha256: str
    weights_size_bytes: int

    @classmethod
    def from_row(cls, row: RowMapping) -> "TrainingRun":
        matrix, summary = confusion_from_json(row["confusion"])
        return cls(
            seed=row["seed"],
            f1=row["f1"],
            accuracy=row["accuracy"],
            per_class_f1=row["per_class_f1"],
            confusion=matrix,
            confusion_summary=summary,
            weights_sha256=row["weights_sha256"],
            weights_size_bytes=row["weights_size_bytes"],
        )


@dataclass(frozen=True, kw_only=True)
class TrainingEpoch:
    """One epoch of one seed; ``elapsed_s`` is how long this epoch took."""

    seed: int
    epoch: int
    loss: float
    f1: float
    accuracy: float
    elapsed_s: float

    @classmethod
    def from_row(cls, row: RowMapping) -> "TrainingEpoch":
        return cls(
            seed=row["seed"],
            epoch=row["epoch"],
            loss=row["loss"],
            f1=row["f1"],
            accuracy=row["accuracy"],
            elapsed_s=row["elapsed_s"],
        )
