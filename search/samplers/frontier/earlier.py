"""What earlier studies, of the same or of other data, say about a new one: ranks, not values.

The scale of a metric differs from data set to data set; which networks are better than others differs less. So what is
taken over of an earlier study is the order of its points, as a feature: how far the new study follows it, its own
trials tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.samplers.frontier.encoding import Encoder, Row, Scale
from search.samplers.frontier.gaussian import Kernel
from search.samplers.frontier.model import Learned
from search.samplers.frontier.points import Describe, Params, Point, describe_point

#: Of a longer record a sample of this size: it is asked about each candidate.
_MOST_POINTS = 300


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The ``points`` of an earlier study with their normal ``scores`` by rank, smaller is better, and those of its
    ``front`` that lie furthest apart, in the order in which to try them.
    """

    points: Sequence[Params]
    scores: Sequence[float]
    front: Sequence[Params]


class Memory:
    """Guesses the score that a point would have had in an earlier study."""

    def __init__(self, earlier: Earlier, describe: Describe, encoder: Encoder, rng: np.random.Generator) -> None:
        chosen = rng.permutation(len(earlier.points))[:_MOST_POINTS]
        rows = [encoder.row(describe_point(describe, earlier.points[index], rng)) for index in chosen]
        self._encoder, matrix = encoder, encoder.matrix(rows)
        self._scale = Scale(matrix)
        scores = np.asarray([earlier.scores[index] for index in chosen])
        start = Kernel.prior(encoder.parts(self._scale))
        self._learned = Learned(self._scale(matrix), scores, np.zeros(len(scores)), rng, start=start)

    def score(self, row: Row) -> float:
        (guess,) = self._learned.guesses(self._scale(self._encoder.matrix([row])))
        return float(guess.mean[0])


def first_points(earlier: Sequence[Earlier], describe: Describe, rng: np.random.Generator, count: int) -> list[Point]:
    """At most ``count`` points of the fronts, of each study in turn."""
    turns = range(max((len(study.front) for study in earlier), default=0))
    wanted = [study.front[turn] for turn in turns for study in earlier if turn < len(study.front)]
    return [describe_point(describe, params, rng) for params in wanted[:count]]
