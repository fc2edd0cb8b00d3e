"""Transfer from earlier studies, of the same data set or of another: by ranks, not by values.

The scale of a metric differs from data set to data set; the order of the networks differs less. So the predicted rank
of a point in an earlier study is a feature of the new study's surrogates, which learn how much it is worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from search.contract.trials import Assignment
from search.samplers.frontier.encoding import Encoder, SparseRow, Standardizer
from search.samplers.frontier.kernel import Kernel
from search.samplers.frontier.points import Describe, Point, describe_point
from search.samplers.frontier.surrogate import Surrogate

#: A longer record is subsampled, since the model predicts a rank for every candidate.
_MAX_POINTS = 300


@dataclass(frozen=True, kw_only=True)
class TransferData:
    """What an earlier study offers to a new one."""

    points: Sequence[Assignment]
    scores: Sequence[float]
    """The normal score of each point's rank; smaller is better."""
    front: Sequence[Assignment]
    """Points of its front, in the order in which to try them."""

    def completed_by(self, absent: Assignment) -> "TransferData":
        """With the values of ``absent`` where a point lacks their parameters."""
        points, front = ([{**absent, **point} for point in points] for points in (self.points, self.front))
        return replace(self, points=points, front=front)


class TransferModel:
    """Predicts the normal score that a point would have had in an earlier study."""

    def __init__(self, data: TransferData, describe: Describe, encoder: Encoder, rng: np.random.Generator) -> None:
        chosen = rng.permutation(len(data.points))[:_MAX_POINTS]
        rows = [encoder.row(describe_point(describe, data.points[index], rng)) for index in chosen]
        self._encoder, matrix = encoder, encoder.matrix(rows)
        self._standardizer = Standardizer(matrix)
        scores = np.asarray([data.scores[index] for index in chosen])
        kernel = Kernel.prior(encoder.column_groups(self._standardizer))
        features = self._standardizer(matrix)
        self._surrogate = Surrogate(features, scores, np.zeros(len(scores)), rng, initial_kernel=kernel)

    def score(self, row: SparseRow) -> float:
        (prediction,) = self._surrogate.predict(self._standardizer(self._encoder.matrix([row])))
        return float(prediction.mean[0])


def initial_points(
    transfer: Sequence[TransferData], describe: Describe, rng: np.random.Generator, count: int
) -> list[Point]:
    """At most ``count`` points of the earlier fronts, one of each study in turn."""
    rounds = range(max((len(data.front) for data in transfer), default=0))
    params = [data.front[index] for index in rounds for data in transfer if index < len(data.front)]
    return [describe_point(describe, chosen, rng) for chosen in params[:count]]
