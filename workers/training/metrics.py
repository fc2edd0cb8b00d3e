"""Macro F1 and accuracy from a confusion matrix."""

import torch
from torch import Tensor

from search.contract.epochs import ClassificationScores


def confusion(predicted: Tensor, labels: Tensor, classes: int, *, counted: Tensor | None = None) -> Tensor:
    """Counts int64 [classes, classes], rows the true class, columns the predicted one; of the images where ``counted``,
    bool [n], if it is given. Without a host synchronization.
    """
    ones = torch.ones_like(labels) if counted is None else counted.to(torch.int64)
    cells = torch.zeros(classes * classes, dtype=torch.int64, device=labels.device)
    return cells.index_add_(0, labels * classes + predicted, ones).reshape(classes, classes)


def scores(matrix: Tensor) -> ClassificationScores:
    """Scores of a confusion matrix [classes, classes]; the same as scikit-learn's ``f1_score(average="macro")``."""
    counts = matrix.to("cpu", torch.float64)
    hits, true, predicted = counts.diagonal(), counts.sum(dim=1), counts.sum(dim=0)
    per_class = 2 * hits / (true + predicted).clamp(min=1)
    present = (true + predicted) > 0
    return ClassificationScores(
        f1=float(per_class[present].mean()),
        accuracy=float(hits.sum() / counts.sum()),
        per_class_f1=tuple(per_class.tolist()),
        confusion=tuple(tuple(row) for row in counts.to(torch.int64).tolist()),
    )
