"""Which classes a model confuses with which: all counts of a few classes, the largest of many.

Plain data: the training engine imports it without pydantic. A matrix of 10,000 classes would have 10^8 cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Above so many classes a summary takes the place of the matrix.
MOST_CLASSES = 200
#: The summary names so many confusions at most.
MOST_CONFUSIONS = 1000

#: Counts of images: rows are true classes, columns predicted ones.
Matrix = Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class ConfusionSummary:
    """Counts of images by class, in the order of the classes, and the largest confusions of two classes.

    Of each class ``images`` counts its images, ``hits`` those of them that were predicted as it, and ``predicted`` all
    images that were predicted as it. ``largest`` has triples of a true class, a wrongly predicted class and a number of
    images, the most images first; ``confusions`` says how many pairs of classes were confused in all.
    """

    images: Sequence[int]
    hits: Sequence[int]
    predicted: Sequence[int]
    largest: Sequence[tuple[int, int, int]]
    confusions: int


Confusion = Matrix | ConfusionSummary
ConfusionJson = list[list[int]] | dict[str, object]


def confusion_to_json(confusion: Confusion | None) -> ConfusionJson | None:
    """As the record keeps it: a list of rows, or an object."""
    if confusion is None or not isinstance(confusion, ConfusionSummary):
        return None if confusion is None else [list(row) for row in confusion]
    return vars(confusion)


def confusion_from_json(
    stored: Matrix | Mapping[str, Sequence[int]] | None,
) -> tuple[Matrix | None, ConfusionSummary | None]:
    """The matrix or else the summary, both None for None; records of earlier versions have matrices only."""
    if isinstance(stored, Mapping):
        return None, ConfusionSummary(**stored)  # type: ignore[arg-type]  # confusion_to_json wrote it
    return stored, None


def split_confusion(confusion: Confusion) -> tuple[Matrix | None, ConfusionSummary | None]:
    """The matrix or else the summary."""
    return (None, confusion) if isinstance(confusion, ConfusionSummary) else (confusion, None)
