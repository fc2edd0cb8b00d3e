"""Variants, the deployable models, and files as the record holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from search.contract.confusion import ConfusionSummary, Matrix, confusion_from_json
from services.records.json_object import JsonObject
from services.records.metrics import read_metrics
from services.records.on_test import OnTest, read_on_test


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A deployable model without its scores per class.

    ``parity_error`` is the largest difference of its logits from the PyTorch model's, as a fraction of their range;
    ``agreement`` the fraction of real images that both give the same class. ``latency`` tells how it was timed;
    ``on_test`` what it scored on the test split.
    """

    id: str
    job_id: str
    trial_id: str
    study_id: str
    recipe: str
    steps: Sequence[JsonObject]
    runtime: str
    host: str
    metrics: Mapping[str, float]
    on_test: OnTest
    parity_error: float | None
    agreement: float | None
    latency: JsonObject
    created_at: datetime

    @classmethod
    def from_row(cls, row: RowMapping) -> "Variant":
        return cls(
            id=row["id"],
            job_id=row["job_id"],
            trial_id=row["trial_id"],
            study_id=row["study_id"],
            recipe=row["recipe"],
            steps=row["steps"],
            runtime=row["runtime"],
            host=row["host"],
            metrics=read_metrics(row),
            on_test=read_on_test(row),
            parity_error=row["parity_error"],
            agreement=row["agreement"],
            latency=row["latency"],
            created_at=row["created_at"],
        )


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """Scores of a variant per class, in the order of the study's classes; ``confusion`` has a row per true class.

    Of many classes there is a summary. None for variants that were made before these were recorded.
    """

    per_class_f1: Sequence[float] | None
    confusion: Matrix | None
    confusion_summary: ConfusionSummary | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "ClassScores":
        matrix, summary = confusion_from_json(row["confusion"])
        return cls(per_class_f1=row["per_class_f1"], confusion=matrix, confusion_summary=summary)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file in the artifact store; ``variant_id`` is None for a trial's own."""

    id: str
    sha256: str
    kind: str
    size_bytes: int
    trial_id: str
    variant_id: str | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "Artifact":
        return cls(
            id=row["id"],
            sha256=row["sha256"],
            kind=row["kind"],
            size_bytes=row["size_bytes"],
            trial_id=row["trial_id"],
            variant_id=row["variant_id"],
        )
