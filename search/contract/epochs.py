"""What one epoch of a training shows. Plain dataclasses: the training engine imports them without pydantic."""

from dataclasses import dataclass
from typing import NamedTuple

from search.contract.confusion import Confusion


@dataclass(frozen=True, kw_only=True)
class ClassificationScores:
    """``f1`` is macro (the mean over classes that occur); ``per_class_f1`` follows the order of the classes.
    ``confusion`` counts images: a matrix whose rows are the true class and columns the predicted one, or a summary of
    many classes.
    """

    f1: float
    accuracy: float
    per_class_f1: tuple[float, ...]
    confusion: Confusion


class CurvePoint(NamedTuple):
    """One epoch of a learning curve: the f1 after it, and the mean training loss in it."""

    f1: float
    loss: float


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """One epoch of a training; ``epoch`` counts from 1, ``loss`` is the mean over the training batches. ``steps_s`` is
    the part of ``elapsed_s`` that went into training steps; the rest is scoring, and waiting for measurements.
    """

    epoch: int
    loss: float
    f1: float
    accuracy: float
    elapsed_s: float
    steps_s: float

    @property
    def curve_point(self) -> CurvePoint:
        return CurvePoint(f1=self.f1, loss=self.loss)
