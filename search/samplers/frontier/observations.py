"""The trials of a study, sorted by what can be learned from each.

Notation: n observed points, m objectives, all of them losses to be minimized.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from search.pareto import front
from search.samplers.frontier.arrays import Floats
from search.samplers.frontier.encoding import EncodedPoint

#: User attribute of a pruned trial: the result that it would have reached, as ``(value, standard deviation)`` for each
#: objective, or None for one that is exact.
EXPECTED = "expected"
#: User attribute of a trial: its duration, where the trial's own times do not say it, since it ran before or elsewhere.
SECONDS = "seconds"

Trials = Sequence[tuple[FrozenTrial, EncodedPoint]]


@dataclass(frozen=True, kw_only=True)
class Observations:
    """The trials of a study by their outcome. Completed points come first, then those that were stopped early."""

    signs: Floats
    """[m]: 1 for an objective that is minimized, -1 for one that is maximized."""
    points: Sequence[EncodedPoint]
    """The n observed points."""
    losses: Floats
    """[n, m]; of a stopped point, as forecast."""
    noise_std: Floats
    """[n, m]: how uncertain a forecast loss is; 0 for a measured one."""
    complete: int
    """How many of the points ran to their end."""
    durations_s: Floats
    """[complete]"""
    pending: Sequence[EncodedPoint]
    failed: Sequence[EncodedPoint]
    violations: dict[str, list[tuple[EncodedPoint, float]]]
    """Measured violations by constraint, of completed points and of those that a constraint ended."""

    def subsample(self, count: int, rng: np.random.Generator) -> "Observations":
        """At most ``count`` observed points: the front, and a random sample of the others."""
        total = len(self.points)
        if total <= count:
            return self
        best = front(self.losses[: self.complete])[:count]
        others = np.setdiff1d(np.arange(total), best)
        kept = np.sort(np.append(best, rng.choice(others, count - len(best), replace=False)))
        return replace(
            self,
            points=[self.points[index] for index in kept],
            losses=self.losses[kept],
            noise_std=self.noise_std[kept],
            complete=int((kept < self.complete).sum()),
            durations_s=self.durations_s[kept[kept < self.complete]],
        )


def observations_of(trials: Trials, signs: Floats) -> Observations:
    """The observations that the trials with their points hold; ``signs`` is [m]."""
    complete = [(trial, point) for trial, point in trials if trial.state is TrialState.COMPLETE]
    forecasts = [(_forecast(trial, point), point) for trial, point in trials if trial.state is TrialState.PRUNED]
    stopped = [(values, point) for values, point in forecasts if values is not None]
    values = [[(value, 0.0) for value in trial.values] for trial, _ in complete] + [values for values, _ in stopped]
    table = np.asarray(values, dtype=np.float64).reshape(-1, len(signs), 2)
    return Observations(
        signs=signs,
        points=[point for _, point in [*complete, *stopped]],
        losses=_clip_to_finite(table[:, :, 0] * signs),
        noise_std=table[:, :, 1],
        complete=len(complete),
        durations_s=np.asarray([_duration_s(trial) for trial, _ in complete]),
        pending=[point for trial, point in trials if trial.state is TrialState.RUNNING],
        failed=[point for trial, point in trials if trial.state is TrialState.FAIL],
        violations=_violations(trials),
    )


def _forecast(trial: FrozenTrial, point: EncodedPoint) -> list[tuple[float, float]] | None:
    """Value and standard deviation of each objective of a trial that was stopped; None if it has no forecast."""
    expected = trial.user_attrs.get(EXPECTED)
    if expected is None:
        return None
    exact = point.description.objectives
    values = [(exact[index], 0.0) if index in exact else pair for index, pair in enumerate(expected)]
    return None if None in values else values


def _duration_s(trial: FrozenTrial) -> float:
    if SECONDS in trial.user_attrs:
        return float(trial.user_attrs[SECONDS])
    assert trial.duration is not None
    return trial.duration.total_seconds()


def _violations(trials: Trials) -> dict[str, list[tuple[EncodedPoint, float]]]:
    violations: dict[str, list[tuple[EncodedPoint, float]]] = {}
    for trial, point in trials:
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            for name, value in trial.constraints.items():
                violations.setdefault(name, []).append((point, value))
    return violations


def _clip_to_finite(losses: Floats) -> Floats:
    """The losses [n, m] with infinite ones replaced by the worst or best finite one of their objective."""
    worst = np.max(losses, axis=0, initial=-np.inf, where=np.isfinite(losses))
    best = np.min(losses, axis=0, initial=np.inf, where=np.isfinite(losses))
    return np.asarray(np.clip(losses, best, worst)) if len(losses) else losses
