"""Model: everything that a bundle says about a variant."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from api.schemas import (
    EpochView,
    StudyView,
    TrainingDetail,
    TrialDetail,
    VariantDetail,
    VariantFront,
    VariantView,
)

#: File name by kind of artifact. ``reshaped_weights`` are weights that no longer fit the architecture of their trial,
#: because compression has changed the network.
FILE_NAMES = {
    "onnx": "model.onnx",
    "program": "model.pt2",
    "weights": "weights.safetensors",
    "reshaped_weights": "weights.safetensors",
}


class Model(BaseModel):
    """A variant with its trial and study.

    ``training`` is the full training whose weights the variant was made from, None for weights of the search.
    ``rivals`` are all variants of its host and runtime, itself included; ``front`` is their front.
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
        """File name by kind of artifact."""
        return {artifact.kind: FILE_NAMES[artifact.kind] for artifact in self.variant.artifacts}

    @property
    def curves(self) -> list[Sequence[EpochView]]:
        """One learning curve per trained seed."""
        if self.training is None:
            return [self.trial.epochs]
        seeds = sorted({epoch.seed for epoch in self.training.curves})
        return [[epoch for epoch in self.training.curves if epoch.seed == seed] for seed in seeds]
