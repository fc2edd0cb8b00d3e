"""Macro F1, accuracy and confusions of predicted classes.

Notation: n images, C classes; ``labels`` and ``predicted`` are int64 [n]. Of many classes no C x C cells are made.
"""

import torch
from torch import Tensor

from search.contract.confusion import MOST_CLASSES, MOST_CONFUSIONS, Confusion, ConfusionSummary
from search.contract.epochs import ClassificationScores


def scores(predicted: Tensor, labels: Tensor, classes: int) -> ClassificationScores:
    """The same as scikit-learn's ``f1_score(average="macro")`` and ``accuracy_score``."""
    predicted, labels = predicted.to("cpu", torch.int64), labels.to("cpu", torch.int64)
    correct = predicted == labels
    hits, true, answered = (
        torch.bincount(of, minlength=classes).to(torch.float64) for of in (labels[correct], labels, predicted)
    )
    per_class = 2 * hits / (true + answered).clamp(min=1)
    present = (true + answered) > 0
    return ClassificationScores(
        f1=float(per_class[present].mean()),
        accuracy=float(hits.sum() / len(labels)),
        per_class_f1=tuple(per_class.tolist()),
        confusion=confusion(predicted, labels, classes),
    )


def confusion(predicted: Tensor, labels: Tensor, classes: int) -> Confusion:
    """The matrix of at most ``MOST_CLASSES`` classes, a summary of more; of tensors on the CPU."""
    if classes <= MOST_CLASSES:
        cells = torch.bincount(labels * classes + predicted, minlength=classes * classes)
        return tuple(tuple(row) for row in cells.reshape(classes, classes).tolist())
    wrong = predicted != labels
    pairs, images = torch.unique(labels[wrong] * classes + predicted[wrong], return_counts=True)
    first = torch.argsort(images, descending=True, stable=True)[:MOST_CONFUSIONS]
    by_class = (torch.bincount(of, minlength=classes).tolist() for of in (labels, labels[~wrong], predicted))
    counted, hits, answered = map(tuple, by_class)
    true, taken_for = pairs[first] // classes, pairs[first] % classes
    largest = tuple(zip(true.tolist(), taken_for.tolist(), images[first].tolist(), strict=True))
    return ConfusionSummary(images=counted, hits=hits, predicted=answered, largest=largest, confusions=len(pairs))
