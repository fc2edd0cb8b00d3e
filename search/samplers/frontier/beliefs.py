"""What is believed of points that have not been run, and what each is expected to add to the front.

Notation: q candidates, n measured points, p in flight, m objectives, s draws.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from search.pareto import front
from search.samplers.frontier.encoding import Encoder, Scale
from search.samplers.frontier.evidence import Evidence, Known
from search.samplers.frontier.gain import Guess, attained, expected_gain
from search.samplers.frontier.model import MOST_POINTS, Kernels, Learned, without_outliers
from search.samplers.frontier.points import Point

Floats = NDArray[np.float64]

_CORNERS = 1024
#: Of what the points in flight will come to.
_DRAWS = 4
#: Shorter trials are not told apart.
_LEAST_S = 1e-3
#: While time is short, a gain counts by the seconds to this power. The smallest networks are trained so quickly that by
#: the seconds themselves their small gains come first for long (Lee et al. 2020: between 1 and 0, cost-cooling).
_SECONDS_POWER = 0.5


class Beliefs:
    """Models of what must be measured, fitted to the evidence, and the front as it stands.

    The first objective that is not known exactly is the value that the gain is counted in; the others are costs, exact
    ones and learned ones. The value's deviation counts ``doubt`` times.
    """

    def __init__(
        self,
        evidence: Evidence,
        pool: Sequence[Known],
        *,
        encoder: Encoder,
        kernels: Kernels,
        rng: np.random.Generator,
        time_is_short: bool,
        doubt: float,
    ) -> None:
        self._doubt = doubt
        evidence = thinned(evidence, rng)
        self._evidence, self._encoder, self._kernels, self._rng = evidence, encoder, kernels, rng
        around = [*evidence.measured, *evidence.flying, *pool]
        self._scale = Scale(encoder.matrix([known.row for known in around]))
        indices = range(len(evidence.signs))
        self._exact = {index for index in indices if all(index in known.point.known.objectives for known in around)}
        self._main = next((index for index in indices if index not in self._exact), 0)
        self._costs = [index for index in indices if index != self._main]
        exact_limits = {name for known in around for name in known.point.known.constraints}
        self._limits = [
            self._learned(f"limit {name}", [known for known, _ in rows], np.asarray([value for _, value in rows]))
            for name, rows in evidence.violations.items()
            if name not in exact_limits and len({value for _, value in rows}) > 1
        ]
        self._failure = self._failures()
        self._models: dict[int, Learned] = {}
        self._logged: set[int] = set()
        self._duration: Learned | None = None
        if evidence.complete > 1:
            self._learn(pool)
            if time_is_short:
                self._duration = self._durations()

    def _features(self, points: Sequence[Known]) -> Floats:
        return self._scale(self._encoder.matrix([known.row for known in points]))

    def _learned(self, name: str, points: Sequence[Known], values: Floats, deviations: Floats | None = None) -> Learned:
        deviations = np.zeros(len(points)) if deviations is None else deviations
        if len(points) > MOST_POINTS:
            chosen = np.sort(self._rng.choice(len(points), MOST_POINTS, replace=False))
            points, values, deviations = [points[index] for index in chosen], values[chosen], deviations[chosen]
        start = self._kernels.start(name, self._scale, self._encoder.parts(self._scale))
        learned = Learned(self._features(points), values, deviations, self._rng, start=start)
        self._kernels.keep(name, self._scale, learned.kernel)
        return learned

    def _failures(self) -> Learned | None:
        """Failure as a number, 1 where it failed; None while nothing did."""
        failed, measured = self._evidence.failed, self._evidence.measured
        if not failed or not measured:
            return None
        return self._learned("failure", [*measured, *failed], np.repeat((0.0, 1.0), (len(measured), len(failed))))

    def _durations(self) -> Learned:
        """The logarithm of how long a trial takes that comes to its end."""
        complete = self._evidence.measured[: self._evidence.complete]
        return self._learned("duration", complete, np.log(np.maximum(self._evidence.seconds, _LEAST_S)))

    def _learn(self, pool: Sequence[Known]) -> None:
        """Fit the objectives that are not exact, and see what the front reaches at each corner."""
        evidence = self._evidence
        fence = np.inf
        for index in range(len(evidence.signs)):
            if index not in self._exact:
                values, deviations = evidence.losses[:, index], evidence.deviations[:, index]
                if index == self._main:
                    values, fence = without_outliers(values)
                elif (values > 0.0).all():
                    values, deviations = np.log(values), deviations / values
                    self._logged.add(index)
                self._models[index] = self._learned(f"objective {index}", evidence.measured, values, deviations)
        values = self._values_of_all()
        costs = np.column_stack([self._costs_of_all(index) for index in self._costs] or [np.empty((len(values), 0))])
        standing = np.delete(np.arange(len(values)), np.arange(evidence.complete, len(evidence.measured)))
        values, costs = values[standing], costs[standing]
        around = self._costs_around([known for known in pool if not violation(known.point)])
        low, high = np.vstack([costs, around]).min(axis=0), np.vstack([costs, around]).max(axis=0)
        reference = min(fence, float(values.max() + 0.1 * np.ptp(values)))
        self._corners = low + 1.1 * (high - low) * self._spread(len(self._costs))
        self._levels = [attained(self._corners, costs, column, reference) for column in values.T]

    def _values_of_all(self) -> Floats:
        """The value of the measured points without noise, and of those in flight as drawn, [n + p, s]."""
        evidence = self._evidence
        if self._main in self._exact:
            return evidence.losses[:, [self._main]]
        model = self._models[self._main]
        if evidence.flying:
            model.imagine(self._features(evidence.flying), _DRAWS, self._rng)
        return model.smoothed()

    def _costs_of_all(self, index: int) -> Floats:
        """One cost of the measured points and of those in flight, [n + p]; what is not known of these as expected."""
        return np.concatenate([self._evidence.losses[:, index], self._expected(index, self._evidence.flying)])

    def _costs_around(self, points: Sequence[Known]) -> Floats:
        """The costs of points that have not been run, as expected [len(points), m - 1]: the front may reach there."""
        return np.column_stack([self._expected(index, points) for index in self._costs] or [np.empty((len(points), 0))])

    def _expected(self, index: int, points: Sequence[Known]) -> Floats:
        if not points:
            return np.empty(0)
        if index in self._exact:
            return self._exactly(index, points).mean
        mean = self._models[index].guesses(self._features(points))[0].mean
        return np.asarray(np.exp(mean)) if index in self._logged else mean

    def _exactly(self, index: int, points: Sequence[Known]) -> Guess:
        values = [known.point.known.objectives[index] for known in points]
        return Guess(mean=self._evidence.signs[index] * np.asarray(values), deviation=np.zeros(len(points)))

    def _spread(self, dimensions: int) -> Floats:
        """Places spread evenly over the unit cube, [u, dimensions]."""
        if not dimensions:
            return np.empty((1, 0))
        return np.asarray(qmc.Sobol(dimensions, rng=self._rng).random(_CORNERS))

    def scores(self, candidates: Sequence[Known]) -> Floats:
        """The expected gain of each candidate that may be run, by the chance that it can, and by how long it takes
        while time is short; of the others, how far they break the limits that are known exactly, negated [q].
        """
        violations = np.asarray([violation(known.point) for known in candidates])
        features = self._features(candidates)
        gain = self._gain(candidates, features) if self._evidence.complete > 1 else np.ones(len(candidates))
        for limit in self._limits:
            gain = gain * limit.probability_below(features, 0.0)
        if self._failure is not None:
            (guess,) = self._failure.guesses(features)
            gain = gain * (1.0 - np.clip(guess.mean, 0.0, 1.0))
        if self._duration is not None:
            (guess,) = self._duration.guesses(features)
            gain = gain / np.exp(_SECONDS_POWER * guess.mean)
        return np.asarray(np.where(violations > 0.0, -violations, gain))

    def _gain(self, candidates: Sequence[Known], features: Floats) -> Floats:
        costs, corners = [], self._corners.copy()
        for column, index in enumerate(self._costs):
            if index in self._exact:
                costs.append(self._exactly(index, candidates))
            else:
                costs.append(self._models[index].guesses(features)[0])
                if index in self._logged:
                    corners[:, column] = np.log(np.maximum(corners[:, column], np.finfo(float).tiny))
        values = self._values(candidates, features)
        gains = [expected_gain(value, costs, corners, level) for value, level in zip(values, self._levels, strict=True)]
        return np.asarray(np.mean(gains, axis=0))

    def _values(self, candidates: Sequence[Known], features: Floats) -> list[Guess]:
        if self._main in self._exact:
            return [self._exactly(self._main, candidates)]
        guesses = self._models[self._main].guesses(features)
        return [replace(guess, deviation=self._doubt * guess.deviation) for guess in guesses]


def violation(point: Point) -> float:
    """How far a point breaks the limits that are known exactly; 0 if it breaks none, infinite if it cannot be run."""
    if not point.known.possible:
        return math.inf
    return max([0.0, *point.known.constraints.values()])


def thinned(evidence: Evidence, rng: np.random.Generator) -> Evidence:
    """At most MOST_POINTS measured points: the front, and others by chance."""
    count = len(evidence.measured)
    if count <= MOST_POINTS:
        return evidence
    best = front(evidence.losses[: evidence.complete])[:MOST_POINTS]
    others = np.setdiff1d(np.arange(count), best)
    kept = np.sort(np.append(best, rng.choice(others, MOST_POINTS - len(best), replace=False)))
    return replace(
        evidence,
        measured=[evidence.measured[index] for index in kept],
        losses=evidence.losses[kept],
        deviations=evidence.deviations[kept],
        complete=int((kept < evidence.complete).sum()),
        seconds=evidence.seconds[kept[kept < evidence.complete]],
    )
