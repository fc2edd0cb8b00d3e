"""Surrogates: Gaussian processes for quantities that only a run can measure.

Notation: n observed points, p pending points, q candidates, d features, s samples of what is pending.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from search.samplers.frontier.arrays import Floats, Indices
from search.samplers.frontier.encoding import EncodedPoint, Encoder, Standardizer
from search.samplers.frontier.gaussian_process import Posterior, fit_kernel
from search.samplers.frontier.kernel import Kernel

#: A longer record is subsampled: the effort grows with the cube of the points.
MAX_POINTS = 1000


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Normal distributions of one objective at q points."""

    mean: Floats
    """[q]"""
    std: Floats
    """[q], 0 where the objective is exact."""


class Surrogate:
    """A Gaussian process over the features of n observed points."""

    def __init__(
        self,
        features: Floats,
        targets: Floats,
        noise_std: Floats,
        rng: np.random.Generator,
        *,
        initial_kernel: Kernel,
    ) -> None:
        """``features`` is [n, d], ``targets`` [n]; ``noise_std`` [n] is each target's own noise, beside the common."""
        self._mean, self._std = float(targets.mean()), float(targets.std()) or 1.0
        standardized, noise_variance = (targets - self._mean) / self._std, (noise_std / self._std) ** 2
        self.kernel = fit_kernel(features, standardized, noise_variance, rng, initial_kernel)
        self._posterior = Posterior(self.kernel, features, standardized[:, None], noise_variance)

    def fantasize(self, pending: Floats, count: int, rng: np.random.Generator) -> None:
        """Condition on ``count`` joint samples of the outcomes of the pending points, whose features are [p, d]."""
        self._posterior = self._posterior.fantasize(pending, count, rng)

    def denoised(self) -> Floats:
        """The quantity without noise at the observed points, then at the pending ones [n + p, s]."""
        return self._mean + self._std * self._posterior.denoised()

    def predict(self, features: Floats) -> list[Prediction]:
        """The prediction for points with these features [q, d] in each of the s samples."""
        mean, std = self._posterior.predict(features)
        return [Prediction(mean=self._mean + self._std * column, std=self._std * std) for column in mean.T]

    def probability_below(self, features: Floats, level: float) -> Floats:
        """[q]"""
        prediction = self.predict(features)[0]
        return np.asarray(ndtr((level - prediction.mean) / prediction.std))


class KernelCache:
    """The last kernel of each quantity: the next fit starts from it while the features are the same."""

    def __init__(self) -> None:
        self._kernels: dict[str, tuple[bytes, Kernel]] = {}

    def initial(self, name: str, standardizer: Standardizer, column_groups: tuple[Indices, ...]) -> Kernel:
        used, kernel = self._kernels.get(name, (None, None))
        is_current = kernel is not None and used == standardizer.used.tobytes()
        return kernel if is_current and kernel is not None else Kernel.prior(column_groups)

    def store(self, name: str, standardizer: Standardizer, kernel: Kernel) -> None:
        self._kernels[name] = (standardizer.used.tobytes(), kernel)


class SurrogateFitter:
    """Fits surrogates to points whose features are standardized alike."""

    def __init__(
        self, encoder: Encoder, standardizer: Standardizer, cache: KernelCache, rng: np.random.Generator
    ) -> None:
        self._encoder, self._standardizer, self._cache, self.rng = encoder, standardizer, cache, rng

    def features(self, points: Sequence[EncodedPoint]) -> Floats:
        """[len(points), d]"""
        return self._standardizer(self._encoder.matrix([point.row for point in points]))

    def fit(
        self, name: str, points: Sequence[EncodedPoint], targets: Floats, noise_std: Floats | None = None
    ) -> Surrogate:
        """A surrogate of the quantity ``name``, from ``targets`` [len(points)] and each target's own noise."""
        noise_std = np.zeros(len(points)) if noise_std is None else noise_std
        if len(points) > MAX_POINTS:
            chosen = np.sort(self.rng.choice(len(points), MAX_POINTS, replace=False))
            points, targets, noise_std = [points[index] for index in chosen], targets[chosen], noise_std[chosen]
        groups = self._encoder.column_groups(self._standardizer)
        initial = self._cache.initial(name, self._standardizer, groups)
        surrogate = Surrogate(self.features(points), targets, noise_std, self.rng, initial_kernel=initial)
        self._cache.store(name, self._standardizer, surrogate.kernel)
        return surrogate


def winsorize(values: Floats) -> tuple[Floats, float]:
    """The values with those above Tukey's upper fence moved onto it, and the fence.

    A collapsed training says nothing about the scale on which the others differ.
    """
    first, third = np.quantile(values, (0.25, 0.75))
    fence = float(third + 1.5 * (third - first)) if third > first else float(values.max())
    return np.minimum(values, fence), fence
