"""The acquisition function: what a run of each candidate is expected to be worth.

Notation: q candidates, n observed points, p pending points, m objectives, s samples of what is pending, u nodes in the
space of costs.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr
from scipy.stats import qmc

from search.samplers.frontier.arrays import Floats
from search.samplers.frontier.ehvi import attainment, ehvi
from search.samplers.frontier.encoding import EncodedPoint, Encoder, Standardizer
from search.samplers.frontier.objectives import ObjectiveModels
from search.samplers.frontier.observations import Observations
from search.samplers.frontier.surrogate import MAX_POINTS, KernelCache, Surrogate, SurrogateFitter

_NODES = 1024
#: Shorter durations count as this one.
_MIN_DURATION_S = 1e-3
#: While time is short, EHVI is divided by the duration to this power. By the duration itself, small networks would come
#: first for long: they train so quickly (cost-cooling takes a power between 1 and 0, Lee et al. 2020).
_DURATION_POWER = 0.5


class AcquisitionFunction:
    """EHVI times the probability of a feasible and successful run; while time is short, by the expected duration, and
    times the probability that the run ends within ``seconds_left``.

    All surrogates are fitted when it is built, to the observations; the features are standardized over these and the
    ``pool``. ``std_scale`` inflates the predicted standard deviation of the primary objective.
    """

    def __init__(
        self,
        observations: Observations,
        pool: Sequence[EncodedPoint],
        *,
        encoder: Encoder,
        kernels: KernelCache,
        rng: np.random.Generator,
        time_is_short: bool,
        seconds_left: float | None,
        std_scale: float,
    ) -> None:
        observations = observations.subsample(MAX_POINTS, rng)
        points = [*observations.points, *observations.pending, *pool]
        standardizer = Standardizer(encoder.matrix([point.row for point in points]))
        fitter = SurrogateFitter(encoder, standardizer, kernels, rng)
        self._features = fitter.features
        self._limits = _fit_limits(fitter, observations, points)
        self._failure = _fit_failure(fitter, observations)
        self._objectives = ObjectiveModels(observations, points, std_scale=std_scale)
        self._has_ehvi = observations.complete > 1
        self._log_seconds_left = math.log(max(seconds_left, _MIN_DURATION_S)) if seconds_left is not None else math.inf
        self._duration: Surrogate | None = None
        if self._has_ehvi:
            self._objectives.fit(fitter)
            self._nodes, self._levels = self._attainment(observations, pool, rng)
            if time_is_short:
                self._duration = _fit_duration(fitter, observations)

    def __call__(self, candidates: Sequence[EncodedPoint]) -> Floats:
        """The value of each candidate [q]; of one that violates an exact limit, the violation, negated."""
        violations = np.asarray([candidate.point.violation for candidate in candidates])
        features = self._features(candidates)
        value = self._ehvi(candidates, features) if self._has_ehvi else np.ones(len(candidates))
        for limit in self._limits:
            value = value * limit.probability_below(features, 0.0)
        if self._failure is not None:
            (failure,) = self._failure.predict(features)
            value = value * (1.0 - np.clip(failure.mean, 0.0, 1.0))
        if self._duration is not None:
            (log_duration,) = self._duration.predict(features)
            value = value / np.exp(_DURATION_POWER * log_duration.mean)
            value = value * ndtr((self._log_seconds_left - log_duration.mean) / log_duration.std)
        return np.asarray(np.where(violations > 0.0, -violations, value))

    def _attainment(
        self, observations: Observations, pool: Sequence[EncodedPoint], rng: np.random.Generator
    ) -> tuple[Floats, list[Floats]]:
        """The nodes [u, m - 1], and the attainment level at each of them in each sample, s times [u]."""
        objectives = self._objectives
        primary = objectives.denoised_primary()
        costs = objectives.observed_costs(self._features(observations.pending))
        # A stopped point has no measured value: it is no part of the front.
        rows = np.delete(np.arange(len(primary)), np.arange(observations.complete, len(observations.points)))
        primary, costs = primary[rows], costs[rows]
        feasible = [point for point in pool if not point.point.violation]
        reachable = np.vstack([costs, objectives.expected_costs(feasible, self._features(feasible))])
        low, high = reachable.min(axis=0), reachable.max(axis=0)
        reference = min(objectives.fence, float(primary.max() + 0.1 * np.ptp(primary)))
        nodes = low + 1.1 * (high - low) * _sobol(len(objectives.costs), rng)
        return nodes, [attainment(nodes, costs, sample, reference) for sample in primary.T]

    def _ehvi(self, candidates: Sequence[EncodedPoint], features: Floats) -> Floats:
        """EHVI of each candidate [q], the mean over the samples of what is pending."""
        objectives, nodes = self._objectives, self._nodes.copy()
        for column, index in enumerate(objectives.costs):
            if index in objectives.logged:
                nodes[:, column] = np.log(np.maximum(nodes[:, column], np.finfo(float).tiny))
        costs = [objectives.predict_cost(index, candidates, features) for index in objectives.costs]
        samples = zip(objectives.predict_primary(candidates, features), self._levels, strict=True)
        return np.asarray(np.mean([ehvi(primary, costs, nodes, levels) for primary, levels in samples], axis=0))


def _fit_limits(fitter: SurrogateFitter, observations: Observations, points: Sequence[EncodedPoint]) -> list[Surrogate]:
    """A surrogate of each limit's violation that no description has and that varies."""
    exact = {name for point in points for name in point.description.constraints}
    return [
        fitter.fit(f"limit {name}", [point for point, _ in rows], np.asarray([value for _, value in rows]))
        for name, rows in observations.violations.items()
        if name not in exact and len({value for _, value in rows}) > 1
    ]


def _fit_failure(fitter: SurrogateFitter, observations: Observations) -> Surrogate | None:
    """A surrogate of failure: 1 for a failed point, 0 for an observed one. None while nothing failed."""
    failed, observed = observations.failed, observations.points
    if not failed or not observed:
        return None
    return fitter.fit("failure", [*observed, *failed], np.repeat((0.0, 1.0), (len(observed), len(failed))))


def _fit_duration(fitter: SurrogateFitter, observations: Observations) -> Surrogate:
    """A surrogate of the logarithm of a run's duration in seconds, from the points that ran to their end."""
    complete = observations.points[: observations.complete]
    return fitter.fit("duration", complete, np.log(np.maximum(observations.durations_s, _MIN_DURATION_S)))


def _sobol(dimensions: int, rng: np.random.Generator) -> Floats:
    """The first points of a scrambled Sobol sequence in the unit cube [u, dimensions]."""
    if not dimensions:
        return np.empty((1, 0))
    return np.asarray(qmc.Sobol(dimensions, rng=rng).random(_NODES))
