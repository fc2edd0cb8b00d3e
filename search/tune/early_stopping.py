"""Early stopping with several objectives, by forecasts of learning curves: a trial runs while it could reach the front.

A trial's costs are exact or measured while it trains, so only its final f1 is uncertain. That is forecast from the
study's own learning curves. As in ASHA (https://arxiv.org/abs/1810.05934) and MO-ASHA
(https://arxiv.org/abs/2106.12639), a trial is judged as soon as it reports, without waiting for others. Unlike these,
there are no rungs and no ranks: every epoch after a grace period is judged, and a trial is compared with the front.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from search.contract.epochs import CurvePoint
from search.contract.metrics import Goal, Metrics
from search.contract.reports import StoppedTrial
from search.contract.states import TrialState
from search.contract.trials import Cohort, PastTrial
from search.pareto import losses_of
from search.study.spec import StudySpec

#: A trial is stopped only if it would need an f1 above this quantile of its forecast.
CONFIDENCE = 0.95
#: The grace period as a fraction of the epochs: before its end, fast learners are mistaken for good networks.
_GRACE_SHARE = 1 / 3
_MIN_CURVES = 5
#: In units of f1: where all trials so far reached the same, the next one may still differ.
_MIN_DEVIATION = 1e-6
#: Relative differences between learning curves that are smaller count as none.
_RANK_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A final f1 as Student's distribution: ``mean``, ``deviation`` (its scale) and degrees of ``freedom``."""

    mean: float
    deviation: float
    freedom: int

    def at_most(self, confidence: float) -> float:
        """The quantile that the f1 stays below with probability ``confidence``, at most 1."""
        return min(self.mean + float(student.ppf(confidence, self.freedom)) * self.deviation, 1.0)

    def above(self, f1: float) -> float:
        """The probability of an f1 above this one."""
        return float(student.sf((f1 - self.mean) / self.deviation, self.freedom))


class Stopping:
    """Judges the running trials of one study by the completed ones; ``stopped`` has those that were stopped since this
    driver started, by Tune's id of the trial.
    """

    def __init__(self, spec: StudySpec, history: Sequence[PastTrial]) -> None:
        self._objectives = spec.objectives
        self._curves: dict[Cohort, list[Sequence[CurvePoint]]] = defaultdict(list)
        self._completed: list[Metrics] = []
        self.stopped: dict[str, StoppedTrial] = {}
        for trial in history:
            if trial.state is TrialState.COMPLETED:
                self.learn(trial.metrics, trial.curve, spec.cohort_of(trial.assignment))

    def learn(self, metrics: Metrics, curve: Sequence[CurvePoint], cohort: Cohort) -> None:
        """Add a completed trial; its curve is used if it has all of its epochs."""
        self._completed.append(metrics)
        if len(curve) == cohort.epochs:
            self._curves[cohort].append(curve)

    def forecast(self, curve: Sequence[CurvePoint], cohort: Cohort) -> Forecast | None:
        """The final f1 of a trial with this curve so far; None while its cohort has fewer than five whole curves.

        Linear regression of the final f1 on f1 and training loss at the same epoch, with its prediction interval.
        """
        curves = self._curves[cohort]
        if len(curves) < _MIN_CURVES:
            return None
        past = np.asarray([whole[len(curve) - 1] for whole in curves])
        final = np.asarray([whole[-1].f1 for whole in curves])
        centred, distance = past - past.mean(axis=0), np.asarray(curve[-1]) - past.mean(axis=0)
        slopes, _, rank, _ = np.linalg.lstsq(centred, final - final.mean(), rcond=_RANK_TOLERANCE)
        freedom = len(final) - 1 - int(rank)
        residuals = final - final.mean() - centred @ slopes
        leverage = float(distance @ np.linalg.pinv(centred.T @ centred, rcond=_RANK_TOLERANCE**2) @ distance)
        deviation = math.sqrt(float(residuals @ residuals) / freedom * (1 + 1 / len(final) + leverage))
        mean = float(final.mean() + slopes @ distance)
        return Forecast(mean=mean, deviation=max(deviation, _MIN_DEVIATION), freedom=freedom)

    def _prior(self, cohort: Cohort) -> Forecast:
        """The final f1 of a trial before its first epoch."""
        final = np.asarray([whole[-1].f1 for whole in self._curves[cohort]])
        deviation = float(final.std(ddof=1)) * math.sqrt(1 + 1 / len(final))
        return Forecast(mean=float(final.mean()), deviation=max(deviation, _MIN_DEVIATION), freedom=len(final) - 1)

    def verdict(self, metrics: Metrics, curve: Sequence[CurvePoint], cohort: Cohort) -> str | None:
        """The reason to stop a trial with these costs and this curve; None to let it run.

        A cost that is not measured yet, as a latency in the queue, counts as the best possible one. If the trial is
        stopped, a new one runs in its stead. So it runs while its chance to reach the front, per remaining epoch, is at
        least the chance of a new trial.
        """
        epoch, epochs = len(curve), cohort.epochs
        if not math.ceil(_GRACE_SHARE * epochs) <= epoch < epochs:
            return None
        forecast = self.forecast(curve, cohort)
        if forecast is None:
            return None
        most = forecast.at_most(CONFIDENCE)
        best: Metrics = {objective.metric: _best(objective.goal) for objective in self._objectives}
        optimistic = losses_of(self._objectives, [{**best, **metrics, "f1": most}])[0]
        completed = losses_of(self._objectives, self._completed)
        better = np.flatnonzero((completed <= optimistic).all(axis=1))
        if not len(better):
            return None
        f1 = max(self._completed[int(index)]["f1"] for index in better)
        remaining = 1.0 - epoch / epochs
        if forecast.above(f1) >= remaining * self._prior(cohort).above(f1):
            return None
        return (
            f"after epoch {epoch} of {epochs} its f1 is {curve[-1].f1:.3f} and will hardly exceed {most:.3f}: "
            f"another trial has {f1:.3f} and is no worse in anything else"
        )


def _best(goal: Goal) -> float:
    return math.inf if goal is Goal.MAXIMIZE else -math.inf
