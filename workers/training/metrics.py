"""Macro F1 and accuracy from a confusion matrix."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Scores:
    """``f1`` is macro (the mean over classes that occur); ``per_class_f1`` follows the order of the classes."""

    f1: float
    accuracy: float
    per_class_f1: tuple[float, ...]


def confusion(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Counts int64 [classes, classes], rows the true class, columns the predicted one."""
    return torch.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def scores(matrix: Tensor) -> Scores:
    """Scores of a confusion matrix [classes, classes]; the same as scikit-learn's ``f1_score(average="macro")``."""
    counts = matrix.to(torch.float64)
    hits, true, predicted = counts.diagonal(), counts.sum(dim=1), counts.sum(dim=0)
    per_class = 2 * hits / (true + predicted).clamp(min=1)
    present = (true + predicted) > 0
    return Scores(
        f1=float(per_class[present].mean()),
        accuracy=float(hits.sum() / counts.sum()),
        per_class_f1=tuple(per_class.tolist()),
    )
