"""Predict a folder of images one at a time with a deployed file, and time it as the competition's judge did.

The total is all that happens from the first image's bytes to the last prediction: reading, decoding, resizing, the
model. Pure inference is the model's part of it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from search.contract.metrics import Score
from workers.data.errors import DataError, UnreadableImageError
from workers.data.resize import preprocess
from workers.model_metadata import Usage, usage_of
from workers.predictors import INPUT, OUTPUT, model_input
from workers.training.metrics import scores

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"})


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """``name`` is the image's path inside the folder; ``label`` its class, where the images are in class folders."""

    name: str
    predicted: str
    probability: float
    label: str | None


@dataclass(frozen=True, kw_only=True)
class Submission:
    """``f1`` and ``score`` are None unless every image has a label; the score counts the total time an image."""

    predictions: tuple[Prediction, ...]
    unreadable: tuple[tuple[str, str], ...]
    total_s: float
    inference_s: float
    f1: float | None
    score: float | None


def submit(model: bytes, folder: Path, *, threads: int) -> Submission:
    """Predict every image under ``folder``. DataError if there is none; UnknownModelError for a foreign file."""
    usage = usage_of(model)
    paths = _images(folder)
    session = _session(model, threads)
    session.run([OUTPUT], {INPUT: model_input(np.zeros((1, usage.side_px, usage.side_px, 3), np.uint8))})
    predictions, unreadable, inference_s = [], [], 0.0
    started = time.perf_counter()
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            image = preprocess(path.read_bytes(), None, side_px=usage.side_px, resize=usage.resize)
        except UnreadableImageError as error:
            unreadable.append((name, str(error)))
            continue
        before = time.perf_counter()
        (logits,) = session.run([OUTPUT], {INPUT: model_input(image[None])})
        inference_s += time.perf_counter() - before
        predictions.append(_prediction(name, logits[0], usage))
    total_s = time.perf_counter() - started
    f1 = _f1(predictions, usage)
    score = None if f1 is None else Score().of(f1=f1, latency_ms=1000 * total_s / len(predictions))
    return Submission(
        predictions=tuple(predictions),
        unreadable=tuple(unreadable),
        total_s=total_s,
        inference_s=inference_s,
        f1=f1,
        score=score,
    )


def _images(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not paths:
        raise DataError(f"{folder} holds no images ({', '.join(sorted(_SUFFIXES))})")
    return paths


def _session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _prediction(name: str, logits: np.ndarray, usage: Usage) -> Prediction:
    exponentials = np.exp(logits - logits.max())
    index = int(logits.argmax())
    parent = name.split("/")[-2] if "/" in name else None
    return Prediction(
        name=name,
        predicted=usage.classes[index],
        probability=float(exponentials[index] / exponentials.sum()),
        label=parent if parent in usage.classes else None,
    )


def _f1(predictions: list[Prediction], usage: Usage) -> float | None:
    """Macro F1 where every image lies in a folder that is named as a class."""
    if not predictions or any(prediction.label is None for prediction in predictions):
        return None
    index = {name: position for position, name in enumerate(usage.classes)}
    predicted, labels = (torch.tensor([index[name] for name in names]) for names in _columns(predictions))
    return scores(predicted, labels, len(usage.classes)).f1


def _columns(predictions: list[Prediction]) -> Iterator[list[str]]:
    yield [prediction.predicted for prediction in predictions]
    yield [str(prediction.label) for prediction in predictions]
