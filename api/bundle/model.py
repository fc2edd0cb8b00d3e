"""A model that is handed out, with all that is told about it."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from api.client.client import Client
from api.client.resources import FILE_NAMES
from api.schemas import (
    EpochView,
    StudyView,
    TrainingDetail,
    TrialDetail,
    VariantDetail,
    VariantFront,
    VariantView,
)


class Model(BaseModel):
    """A variant with its trial and study. ``training`` is the training in full whose weights it was made from, None for
    those of the search; ``rivals`` are the variants of its host and runtime, itself among them, and ``front`` their
    front.
    """

    model_config = ConfigDict(frozen=True)

    study: StudyView
    trial: TrialDetail
    training: TrainingDetail | None
    variant: VariantDetail
    rivals: tuple[VariantView, ...]
    front: VariantFront

    @property
    def classes(self) -> list[str]:
        return self.study.classes or []

    @property
    def files(self) -> dict[str, str]:
        """The names of its files by their kinds."""
        return {artifact.kind: FILE_NAMES[artifact.kind] for artifact in self.variant.artifacts}

    @property
    def curves(self) -> list[Sequence[EpochView]]:
        """The learning curve of each seed that was trained."""
        if self.training is None:
            return [self.trial.epochs]
        seeds = sorted({epoch.seed for epoch in self.training.curves})
        return [[epoch for epoch in self.training.curves if epoch.seed == seed] for seed in seeds]


def read_model(client: Client, variant_id: str) -> Model:
    """All that is known of a variant. SeedleafError if the server refuses."""
    variant = client.get_variant(variant_id)
    fronts = client.get_front(variant.study_id).variants
    ours = (variant.host, variant.runtime)
    return Model(
        study=client.get_study(variant.study_id),
        trial=client.get_trial(variant.trial_id),
        training=None if variant.training_id is None else client.get_training(variant.training_id),
        variant=variant,
        rivals=tuple(
            rival
            for rival in client.iter_variants(study_id=variant.study_id, runtime=variant.runtime)
            if (rival.host, rival.runtime) == ours
        ),
        front=next(front for front in fronts if (front.host, front.runtime) == ours),
    )
