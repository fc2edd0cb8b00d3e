"""A training at the end of an epoch as one file, written whole or not at all."""

import pickle
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import torch

from search.contract.epochs import ClassificationScores, EpochReport
from search.files import replacing, writing_to
from workers.training.device_dataset import DeviceDataset
from workers.training.errors import CheckpointError
from workers.training.plan import TrainingPlan
from workers.training.state import Snapshot, TrainingState


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one epoch brought; ``epoch`` counts from 1, ``loss`` is the mean of the training batches. ``steps_s`` is
    the part of ``elapsed_s`` that went into training steps; the rest is scoring, and waiting for measurements.
    """

    epoch: int
    loss: float
    elapsed_s: float
    steps_s: float
    scores: ClassificationScores

    @property
    def report(self) -> EpochReport:
        """Without the scores by class, which a driver needs of the last epoch only."""
        return EpochReport(
            epoch=self.epoch,
            loss=self.loss,
            f1=self.scores.f1,
            accuracy=self.scores.accuracy,
            elapsed_s=self.elapsed_s,
            steps_s=self.steps_s,
        )


class _Subject(TypedDict):
    """What tells a training from others."""

    plan: dict[str, object]
    labels: torch.Tensor
    answers: NotRequired[torch.Tensor]
    shapes: dict[str, tuple[int, ...]]


class _Content(_Subject):
    tensors: dict[str, torch.Tensor]
    generators: tuple[torch.Tensor, ...]
    epochs: list[dict[str, Any]]


class Checkpoint:
    """The file at ``path`` for a training by ``plan`` on ``training`` whose changing parts are in ``state``."""

    def __init__(self, path: Path, plan: TrainingPlan, training: DeviceDataset, state: TrainingState) -> None:
        self._path, self._state = path, state
        shapes = {name: tuple(tensor.shape) for name, tensor in state.tensors.items()}
        self._subject: _Subject = {"plan": asdict(plan), "labels": training.labels.cpu(), "shapes": shapes}
        if plan.distillation_weight and training.answers is not None:
            self._subject["answers"] = training.answers.cpu()

    def save(self, epochs: Sequence[Epoch]) -> None:
        """Replace the file. A crash meanwhile leaves the one before. UnwritableError if the disk takes no files."""
        snapshot = self._state.copy()
        content: _Content = {
            **self._subject,
            "tensors": snapshot.tensors,
            "generators": snapshot.generators,
            "epochs": [asdict(epoch) for epoch in epochs],
        }
        with writing_to(self._path.parent), replacing(self._path) as file:
            torch.save(content, file)

    def resume(self) -> list[Epoch]:
        """Bring the training to where the file has it, and return the epochs so far: none if there is no file.

        CheckpointError if it cannot be read or is that of another training.
        """
        if not self._path.exists():
            return []
        content = self._content()
        self._state.restore(Snapshot(tensors=content["tensors"], generators=content["generators"]))
        return [Epoch(**{**epoch, "scores": ClassificationScores(**epoch["scores"])}) for epoch in content["epochs"]]

    def _content(self) -> _Content:
        try:
            content: dict[str, object] = torch.load(self._path, map_location="cpu", weights_only=True)
            other = [name for name, value in self._subject.items() if not _same(content[name], value)]
        except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
            raise CheckpointError(
                f"{self._path} holds no checkpoint: remove it and the training starts anew"
            ) from error
        if other:
            raise CheckpointError(
                f"{self._path} is the checkpoint of another training (other {', '.join(other)}): "
                "remove it, or choose another file"
            )
        return cast(_Content, content)


def _same(saved: object, value: object) -> bool:
    return torch.equal(cast(torch.Tensor, saved), value) if isinstance(value, torch.Tensor) else saved == value
