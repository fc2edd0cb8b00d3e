"""Early stopping with several objectives: a trial goes on while it could still come onto the front.

Asynchronous like ASHA (https://arxiv.org/abs/1810.05934) and for several objectives like MO-ASHA
(https://arxiv.org/abs/2106.12639): a trial is judged alone, by what the others have shown until then. But its rungs are
all epochs after a time of grace, and it is not ranked among the trials of a rung: its costs are known exactly, so only
its final f1 is uncertain, and what comes of an f1 and a loss so far is learned from the study's own learning curves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from search.contract.metrics import Goal, Metrics
from search.contract.reports import CurvePoint
from search.contract.states import TrialState
from search.contract.trials import PastTrial
from search.pareto import losses_of
from search.study.spec import StudySpec

#: A trial is stopped only if its final f1 would have to be above what 95 of 100 such trials stay below.
CONFIDENCE = 0.95
#: No trial is judged before this share of its epochs: until then what learns quickly is mistaken for what is good.
_GRACE_SHARE = 1 / 3
_LEAST_CURVES = 5
#: Of an f1; where all trials so far came to the same, the next may still differ.
_LEAST_SPREAD = 1e-6
#: What epochs showed that differs less, relatively, does not differ.
_RANK_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A final f1 as Student's distribution: ``mean``, ``deviation`` (its scale) and degrees of ``freedom``."""

    mean: float
    deviation: float
    freedom: int

    def at_most(self, confidence: float) -> float:
        """What it stays below with that probability, never above 1."""
        return min(self.mean + float(student.ppf(confidence, self.freedom)) * self.deviation, 1.0)

    def above(self, f1: float) -> float:
        """The probability of more than that."""
        return float(student.sf((f1 - self.mean) / self.deviation, self.freedom))


class Stopping:
    """Judges the running trials of one study by the completed ones."""

    def __init__(self, spec: StudySpec, history: Sequence[PastTrial]) -> None:
        self._objectives, self._epochs = spec.objectives, spec.budget.epochs
        self._first_judged = math.ceil(_GRACE_SHARE * self._epochs)
        self._curves: list[Sequence[CurvePoint]] = []
        self._completed: list[Metrics] = []
        for trial in history:
            if trial.state is TrialState.COMPLETED:
                self.learn(trial.metrics, trial.curve)

    def learn(self, metrics: Metrics, curve: Sequence[CurvePoint]) -> None:
        """Take in a completed trial with what each epoch showed; a curve of another length only as a result."""
        self._completed.append(metrics)
        if len(curve) == self._epochs:
            self._curves.append(curve)

    def forecast(self, curve: Sequence[CurvePoint]) -> Forecast | None:
        """The f1 that a trial comes to which has come so far; None while too few have shown it.

        Least squares of the final f1 on the f1 and the training loss of the same epoch, with the uncertainty of a
        prediction.
        """
        if len(self._curves) < _LEAST_CURVES:
            return None
        shown = np.asarray([known[len(curve) - 1] for known in self._curves])
        final = np.asarray([known[-1].f1 for known in self._curves])
        centred, distance = shown - shown.mean(axis=0), np.asarray(curve[-1]) - shown.mean(axis=0)
        slopes, _, rank, _ = np.linalg.lstsq(centred, final - final.mean(), rcond=_RANK_TOLERANCE)
        freedom = len(final) - 1 - int(rank)
        residuals = final - final.mean() - centred @ slopes
        leverage = float(distance @ np.linalg.pinv(centred.T @ centred, rcond=_RANK_TOLERANCE**2) @ distance)
        spread = math.sqrt(float(residuals @ residuals) / freedom * (1 + 1 / len(final) + leverage))
        mean = float(final.mean() + slopes @ distance)
        return Forecast(mean=mean, deviation=max(spread, _LEAST_SPREAD), freedom=freedom)

    def _beforehand(self) -> Forecast:
        """The f1 that a trial comes to of which no epoch has been seen."""
        final = np.asarray([known[-1].f1 for known in self._curves])
        spread = float(final.std(ddof=1)) * math.sqrt(1 + 1 / len(final))
        return Forecast(mean=float(final.mean()), deviation=max(spread, _LEAST_SPREAD), freedom=len(final) - 1)

    def verdict(self, metrics: Metrics, curve: Sequence[CurvePoint]) -> str | None:
        """Why a trial with these costs and this curve is to be stopped, or None. What is not known yet, a latency that
        is still to be measured, counts as the best that it could be.

        A new trial would take its place, of which nothing is known yet: so a trial goes on while its chance to come
        onto the front, by the time that it still needs, is no worse than it was before its first epoch.
        """
        epoch = len(curve)
        if not self._first_judged <= epoch < self._epochs:
            return None
        forecast = self.forecast(curve)
        if forecast is None:
            return None
        most = forecast.at_most(CONFIDENCE)
        best: Metrics = {objective.metric: _best(objective.goal) for objective in self._objectives}
        hoped = losses_of(self._objectives, [{**best, **metrics, "f1": most}])[0]
        reached = losses_of(self._objectives, self._completed)
        better = np.flatnonzero((reached <= hoped).all(axis=1))
        if not len(better):
            return None
        f1 = max(self._completed[int(index)]["f1"] for index in better)
        left = 1.0 - epoch / self._epochs
        if forecast.above(f1) >= left * self._beforehand().above(f1):
            return None
        return (
            f"after epoch {epoch} of {self._epochs} its f1 is {curve[-1].f1:.3f} and will hardly exceed {most:.3f}: "
            f"another trial has {f1:.3f} and is no worse in anything else"
        )


def _best(goal: Goal) -> float:
    return math.inf if goal is Goal.MAXIMIZE else -math.inf
