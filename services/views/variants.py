"""Variants, the deployable models, with their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from search.contract.confusion import ConfusionSummary, Matrix
from search.contract.dataset import Resize
from services.errors import ConflictError
from services.records.json_object import JsonObject
from services.records.on_test import OnTest
from services.records.variants import Artifact, Variant
from services.store import studies, trainings, trials, variants


@dataclass(frozen=True, kw_only=True)
class VariantRow(OnTest):
    """A deployable model in a listing."""

    id: str
    trial_id: str
    trial_number: int
    study_id: str
    recipe: str
    steps: Sequence[JsonObject]
    runtime: str
    host: str
    metrics: Mapping[str, float]
    parity_error: float | None
    agreement: float | None
    latency: JsonObject
    artifacts: Sequence[Artifact]
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class FullVariant(VariantRow):
    """A deployable model with its scores per class; ``training_id`` is the full training that its weights are from."""

    training_id: str | None
    per_class_f1: Sequence[float] | None
    confusion: Matrix | None
    confusion_summary: ConfusionSummary | None


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What predicting with a variant takes: its ONNX file, and how the images of its study were prepared."""

    onnx_sha256: str
    classes: Sequence[str]
    side_px: int
    resize: Resize


def get_full(connection: Connection, variant_id: str) -> FullVariant:
    variant = variants.get(connection, variant_id)
    (row,) = make_rows(connection, [variant])
    scores = variants.get_class_scores(connection, variant_id)
    return FullVariant(
        **vars(row),
        training_id=trainings.of_job(connection, variant.job_id),
        per_class_f1=scores.per_class_f1,
        confusion=scores.confusion,
        confusion_summary=scores.confusion_summary,
    )


def get_deployment(connection: Connection, variant_id: str) -> Deployment:
    """ConflictError if the variant has no ONNX file."""
    variant = variants.get(connection, variant_id)
    files = variants.list_artifacts(connection, [variant_id])[variant_id]
    onnx_sha256 = next((file.sha256 for file in files if file.kind == "onnx"), None)
    if onnx_sha256 is None:
        raise ConflictError(f"variant {variant_id} has no ONNX file to try: its runtime is {variant.runtime}")
    study, trial = studies.get(connection, variant.study_id), trials.get(connection, variant.trial_id)
    return Deployment(
        onnx_sha256=onnx_sha256,
        classes=study.classes or (),
        side_px=trial.candidate.image_size,
        resize=study.spec.dataset.resize,
    )


def get_artifact(connection: Connection, artifact_id: str) -> Artifact:
    return variants.get_artifact(connection, artifact_id)


def list_best(connection: Connection, trial_ids: Sequence[str]) -> dict[str, VariantRow]:
    """The variant with the lowest score of each trial that has one."""
    rows = make_rows(connection, variants.list_best(connection, trial_ids))
    return {row.trial_id: row for row in rows}


def make_rows(connection: Connection, records: Sequence[Variant]) -> list[VariantRow]:
    files = variants.list_artifacts(connection, [variant.id for variant in records])
    numbers = trials.get_numbers(connection, [variant.trial_id for variant in records])
    return [
        VariantRow(
            id=variant.id,
            trial_id=variant.trial_id,
            trial_number=numbers[variant.trial_id],
            study_id=variant.study_id,
            recipe=variant.recipe,
            steps=variant.steps,
            runtime=variant.runtime,
            host=variant.host,
            metrics=variant.metrics,
            **vars(variant.on_test),
            parity_error=variant.parity_error,
            agreement=variant.agreement,
            latency=variant.latency,
            artifacts=files[variant.id],
            created_at=variant.created_at,
        )
        for variant in records
    ]
