"""What to ship: the front of F1 and latency of the models of one host and runtime, and the picks among them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.pareto import front

#: A recommended model may have so much less F1 than the best.
TOLERATED_F1 = 0.01


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A model's figures; ``low_ms`` and ``high_ms`` bound the median latency."""

    id: str
    f1: float
    latency_ms: float
    low_ms: float
    high_ms: float
    score: float | None

    def ties_with(self, other: "Figures") -> bool:
        """Whether the intervals of the latencies overlap: then neither is measurably faster."""
        return self.low_ms <= other.high_ms and other.low_ms <= self.high_ms


@dataclass(frozen=True, kw_only=True)
class Winners:
    """Ids. ``front``: what no other model dominates, best F1 first.

    ``recommended``: the fastest of the front within ``TOLERATED_F1`` of the best F1; of those whose intervals overlap
    with the fastest's, which are not measurably slower, the one with the best F1.
    ``ties``: the others within ``TOLERATED_F1`` whose intervals overlap with the recommended one's.
    ``knee``: where giving up F1 begins to buy little speed; None where the front has no such point.
    ``best_score``: the lowest of the competition's score; None where no model has one.
    """

    front: tuple[str, ...]
    recommended: str
    ties: tuple[str, ...]
    knee: str | None
    best_score: str | None

    @property
    def picks(self) -> frozenset[str]:
        """The recommended one, the knee, the best F1 and the best score."""
        picks = (self.recommended, self.front[0], self.knee, self.best_score)
        return frozenset(pick for pick in picks if pick is not None)


def winners(models: Sequence[Figures]) -> Winners:
    """The picks among one or more models of one host and runtime: never call it with those of several."""
    losses = np.array([(-model.f1, model.latency_ms) for model in models])
    best = sorted((models[index] for index in front(losses)), key=lambda model: -model.f1)
    least_f1 = best[0].f1 - TOLERATED_F1
    fastest = [model for model in best if model.f1 >= least_f1][-1]
    recommended = next(model for model in best if model.ties_with(fastest))
    scored = [(model.score, model.id) for model in models if model.score is not None]
    return Winners(
        front=tuple(model.id for model in best),
        recommended=recommended.id,
        ties=tuple(
            model.id
            for model in models
            if model is not recommended and model.f1 >= least_f1 and model.ties_with(recommended)
        ),
        knee=_knee(best),
        best_score=min(scored)[1] if scored else None,
    )


def _knee(best: Sequence[Figures]) -> str | None:
    """The point of a front that lies farthest below the line between its ends, both objectives scaled to [0, 1].

    Das: On characterizing the "knee" of the Pareto curve based on normal-boundary intersection, Structural Optimization
    1999.
    """
    if len(best) < 3:
        return None
    lost = np.array([best[0].f1 - model.f1 for model in best])
    spent = np.array([model.latency_ms - best[-1].latency_ms for model in best])
    gain = 1 - lost / lost[-1] - spent / spent[0]
    farthest = int(gain.argmax())
    return best[farthest].id if gain[farthest] > 0 else None
