"""Downloading a variant as a bundle: a folder with its files, a program that predicts with them and a model card."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from api.bundle.folder import write_bundle, write_whole
from api.bundle.model import FILE_NAMES, Model
from api.schemas import ArtifactView, ParetoView, StudyView, TrainingDetail, TrialDetail, VariantDetail, VariantView


class ModelSource(Protocol):
    """The methods of the client that a download calls."""

    def get_study(self, study_id: str) -> StudyView: ...

    def get_trial(self, trial_id: str) -> TrialDetail: ...

    def get_training(self, training_id: str) -> TrainingDetail: ...

    def get_variant(self, variant_id: str) -> VariantDetail: ...

    def iter_variants(self, *, study_id: str, runtime: str) -> Iterator[VariantView]: ...

    def get_front(self, study_id: str) -> ParetoView: ...

    def get_artifact(self, artifact: ArtifactView, path: Path) -> None: ...


def download_bundle(client: ModelSource, variant_id: str, out: Path) -> None:
    """Make the folder ``out`` of a variant, whole or not at all.

    SeedleafError if the server refuses; OSError if ``out`` exists or cannot be written.
    """

    def write(folder: Path) -> None:
        model = _read_model(client, variant_id)
        for artifact in model.variant.artifacts:
            client.get_artifact(artifact, folder / FILE_NAMES[artifact.kind])
        write_bundle(model, folder)

    write_whole(out, write)


def _read_model(client: ModelSource, variant_id: str) -> Model:
    variant = client.get_variant(variant_id)
    target = (variant.host, variant.runtime)
    variants = client.iter_variants(study_id=variant.study_id, runtime=variant.runtime)
    fronts = client.get_front(variant.study_id).variants
    return Model(
        study=client.get_study(variant.study_id),
        trial=client.get_trial(variant.trial_id),
        training=None if variant.training_id is None else client.get_training(variant.training_id),
        variant=variant,
        rivals=tuple(rival for rival in variants if (rival.host, rival.runtime) == target),
        front=next(front for front in fronts if (front.host, front.runtime) == target),
    )
