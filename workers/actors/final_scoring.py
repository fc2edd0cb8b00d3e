"""The final scoring: models on the test split of their data set. Nothing else opens the images of a test split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ray
import torch
from numpy.typing import NDArray

from search.contract.candidate import Architecture
from search.contract.on_test import ScoresOnTest
from search.contract.study_dataset import StudyDataset
from search.contract.targets import TargetSpec
from search.intervals import f1_interval
from workers.actors.hosts import Slots, TargetMissingError
from workers.actors.slot import BenchmarkSlot
from workers.data import (
    ClassError,
    DatasetChangedError,
    DatasetFormatError,
    TestSplit,
    load_test_split,
    require_unchanged,
)
from workers.export import load_weights, to_onnx
from workers.latency.gate import HostGate
from workers.latency.runtimes.registry import ModelError, RuntimeMissingError
from workers.models import build_network
from workers.training.metrics import scores


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A network that has no exported file: its weights are a safetensors file."""

    architecture: Architecture
    weights: bytes


@dataclass(frozen=True, kw_only=True)
class FinalModel:
    """A model to score: the bytes of an ONNX file, or a network that is exported for it.

    ``id`` names it in the result, ``name`` in reasons. It is run in the runtime of ``target``.
    """

    id: str
    name: str
    side_px: int
    target: TargetSpec
    source: bytes | TrainedNetwork


@dataclass(frozen=True, kw_only=True)
class FinalScores:
    """Scores by the id of the model, and why others have none; ``reason`` is None where all have one.

    ``test_id`` hashes the test images and their labels; None where there is no test split.
    """

    scores: Mapping[str, ScoresOnTest]
    reason: str | None
    test_id: str | None = None


def score_on_test(
    dataset: StudyDataset, models: Sequence[FinalModel], *, test_id: str | None, cache_dir: Path
) -> FinalScores:
    """Score models of a study. A data set without a test split gives no scores, and a reason.

    ``test_id`` is that of the test images that models of the study were scored on before. DataError where none of the
    test images can be used; DatasetChangedError where they, or the other images, are no longer those of the study.
    """
    require_unchanged(dataset, cache_dir)
    slots, by_id, complaints, left_out = Slots(), dict[str, ScoresOnTest](), list[str](), ""
    found_id = test_id
    for side_px in sorted({model.side_px for model in models}):
        split = load_test_split(dataset.spec, side_px=side_px, cache_dir=cache_dir)
        _require_same(split, found_id)
        if not len(split.images) and not split.skipped:
            return FinalScores(scores={}, reason="the data set has no test split")
        _require_usable(split, dataset.classes)
        found_id = split.id
        left_out = _left_out(split)
        for model in (model for model in models if model.side_px == side_px):
            try:
                by_id[model.id] = _score(model, split, slots)
            except (TargetMissingError, ModelError, RuntimeMissingError, RuntimeError) as error:
                complaints.append(f"{model.name}: {error}")
            except ray.exceptions.RayTaskError as error:
                complaints.append(f"{model.name}: {error.cause}")
    reason = "\n".join(filter(None, (left_out, *complaints))) or None
    return FinalScores(scores=by_id, reason=reason, test_id=found_id)


def _require_same(split: TestSplit, test_id: str | None) -> None:
    if test_id is not None and split.id != test_id:
        raise DatasetChangedError(
            f"the test images changed since models of the study were first scored on them; they are {len(split.labels)}"
            " now: make a new study, or restore the test images"
        )


def _require_usable(split: TestSplit, classes: Sequence[str]) -> None:
    if not len(split.images):
        first = split.skipped[0]
        raise DatasetFormatError(
            f"none of its {len(split.skipped)} images can be used, the first ({first.name}) because: {first.reason}"
        )
    if tuple(split.classes) != tuple(classes):
        raise ClassError(
            f"the data set has changed since the study: its classes were {', '.join(classes)}, and are"
            f" {', '.join(split.classes)} now: restore it, or run the study again"
        )


def _left_out(split: TestSplit) -> str:
    """Which images of the split were not scored, and why; empty if all were."""
    if not split.skipped:
        return ""
    count, first = len(split.skipped), split.skipped[0]
    return f"{count} test image{'s were' if count > 1 else ' was'} left out, the first ({first.name}): {first.reason}"


def _score(model: FinalModel, split: TestSplit, slots: Slots) -> ScoresOnTest:
    predicted = torch.from_numpy(_predict(_file(model), split.images, model.target, slots))
    result = scores(predicted, torch.from_numpy(split.labels), len(split.classes))
    interval = f1_interval(split.labels, predicted.numpy(), len(split.classes))
    return ScoresOnTest(f1=result.f1, low=interval.low, high=interval.high, images=len(split.labels))


def _file(model: FinalModel) -> bytes:
    """The ONNX file, exported as the recipe without steps does it where there is none."""
    if isinstance(model.source, bytes):
        return model.source
    with HostGate().working():
        network = build_network(model.source.architecture, pretrained=False)
        load_weights(network, model.source.weights)
        return to_onnx(network, model.side_px)


def _predict(file: bytes, images: NDArray[np.uint8], target: TargetSpec, slots: Slots) -> NDArray[np.int64]:
    """The classes in the target's runtime: in this process, or where the target's host or runtime is another."""
    if target.runtime == "onnxruntime" and target.node is None:
        return BenchmarkSlot().predict(file, images, target=target)
    predicted: NDArray[np.int64] = ray.get(slots.ready(target).predict.remote(file, images, target=target))
    return predicted
