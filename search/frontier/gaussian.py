"""Gaussian-process regression in NumPy: Matern 5/2 with a lengthscale a feature, and noise that may differ by point.

Notation: n points, d features, q queries. ``features`` is float [n, d], standardized; ``targets`` float [n]; ``extra``
[n] the variance of a target beside the noise that all have. The hyperparameters are those of the highest posterior
density. Their priors depend on d alone (Hvarfner, Hellsten, Nardi: Vanilla Bayesian Optimization Performs Great in High
Dimensions, ICML 2024): nothing here is tuned to a problem.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

Floats = NDArray[np.float64]

#: Lengthscales are log-normal around exp(sqrt(2)) * sqrt(d) for standardized features.
_LENGTH_LOCATION, _LENGTH_SCALE = math.sqrt(2.0), math.sqrt(3.0)
#: The signal's variance is log-normal around that of the targets, the noise's around a fiftieth of it.
_SIGNAL_LOCATION, _SIGNAL_SCALE = 0.0, 1.0
_NOISE_LOCATION, _NOISE_SCALE = -4.0, 2.0
_LEAST_NOISE = 1e-6
#: The hyperparameters of a longer record are fitted to a sample of it, the predictions use more.
_FIT_POINTS = 256
_FIRST_STEPS, _NEXT_STEPS = 60, 12


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """Hyperparameters, all in logarithms: ``lengths`` [d], ``signal`` and ``noise`` as variances of scaled targets."""

    lengths: Floats
    signal: float
    noise: float

    @classmethod
    def prior(cls, dimensions: int) -> "Kernel":
        location = _LENGTH_LOCATION + 0.5 * math.log(max(dimensions, 1))
        return cls(lengths=np.full(dimensions, location), signal=_SIGNAL_LOCATION, noise=_NOISE_LOCATION)

    def covariance(self, left: Floats, right: Floats) -> Floats:
        """Of the function without noise, [len(left), len(right)]."""
        root = math.sqrt(5.0) * np.sqrt(self._squared(left, right))
        return np.asarray(math.exp(self.signal) * (1.0 + root + root**2 / 3.0) * np.exp(-root))

    def _squared(self, left: Floats, right: Floats) -> Floats:
        scale = np.exp(-self.lengths)
        left, right = left * scale, right * scale
        squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None] - 2.0 * left @ right.T
        return np.asarray(np.maximum(squares, 0.0))

    def loss(self, features: Floats, targets: Floats, extra: Floats) -> tuple[float, Floats]:
        """Negative log posterior density, and its gradient by lengths, signal and noise [d + 2]."""
        root = np.sqrt(5.0 * self._squared(features, features))
        decay = np.exp(self.signal - root)
        signal = (1.0 + root * (1.0 + root / 3.0)) * decay
        noise = math.exp(self.noise) + _LEAST_NOISE
        lower = cholesky(signal + np.diag(noise + extra), lower=True, check_finite=False)
        inverse = _inverse(lower)
        weights = inverse @ targets
        slope = 0.5 * (inverse - np.outer(weights, weights))
        decay *= 1.0 + root
        pull = (5.0 / 3.0) * slope * decay
        scaled = features * np.exp(-self.lengths)
        by_length = 2.0 * ((pull.sum(axis=1)[:, None] * scaled**2).sum(axis=0) - (scaled * (pull @ scaled)).sum(axis=0))
        by_signal, by_noise = float((slope * signal).sum()), float(np.trace(slope)) * math.exp(self.noise)
        fit = 0.5 * float(targets @ weights) + float(np.log(np.diag(lower)).sum())
        scales = np.append(np.full(len(self.lengths), _LENGTH_SCALE), (_SIGNAL_SCALE, _NOISE_SCALE))
        off = (self.vector() - Kernel.prior(len(self.lengths)).vector()) / scales
        return fit + 0.5 * float(off @ off), np.append(by_length, (by_signal, by_noise)) + off / scales

    def vector(self) -> Floats:
        """All hyperparameters, [d + 2]."""
        return np.append(self.lengths, (self.signal, self.noise))

    @classmethod
    def of(cls, vector: Floats) -> "Kernel":
        return cls(lengths=vector[:-2], signal=float(vector[-2]), noise=float(vector[-1]))


def fit_kernel(
    features: Floats, targets: Floats, extra: Floats, rng: np.random.Generator, start: Kernel | None = None
) -> Kernel:
    """The kernel of the highest posterior density, sought from ``start`` or the priors' medians."""
    if len(targets) > _FIT_POINTS:
        chosen = rng.choice(len(targets), _FIT_POINTS, replace=False)
        features, targets, extra = features[chosen], targets[chosen], extra[chosen]
    dimensions = features.shape[1]
    steps = _NEXT_STEPS if start is not None else _FIRST_STEPS
    first = start or Kernel.prior(dimensions)

    def loss(vector: Floats) -> tuple[float, Floats]:
        return Kernel.of(vector).loss(features, targets, extra)

    found = minimize(
        loss,
        first.vector(),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-3.0, 12.0)] * dimensions + [(-6.0, 6.0), (-12.0, 3.0)],
        options={"maxiter": steps},
    )
    return Kernel.of(found.x)


def _inverse(lower: Floats) -> Floats:
    """Of the matrix whose Cholesky factor this is."""
    half, _ = dpotri(lower, lower=True)
    return np.asarray(half + np.tril(half, -1).T)


class Posterior:
    """What n noisy values say about the function between them, in s scenarios that differ in the values alone."""

    def __init__(self, kernel: Kernel, features: Floats, targets: Floats, extra: Floats) -> None:
        """``targets`` is [n, s]."""
        self._kernel, self._features, self._targets, self._extra = kernel, features, targets, extra
        self._noise = math.exp(kernel.noise) + _LEAST_NOISE
        covariance = kernel.covariance(features, features) + np.diag(self._noise + extra)
        self._lower = cholesky(covariance, lower=True, check_finite=False)
        self._weights = cho_solve((self._lower, True), targets, check_finite=False)

    def predict(self, queries: Floats) -> tuple[Floats, Floats]:
        """The function without noise: its mean in each scenario [q, s], and its standard deviation [q]."""
        across = self._kernel.covariance(self._features, queries)
        solved = solve_triangular(self._lower, across, lower=True, check_finite=False)
        variance = math.exp(self._kernel.signal) - (solved**2).sum(axis=0)
        return across.T @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def smoothed(self) -> Floats:
        """The function's mean at the n points themselves, [n, s]."""
        return np.asarray(self._targets - (self._noise + self._extra)[:, None] * self._weights)

    def imagined(self, queries: Floats, count: int, rng: np.random.Generator) -> "Posterior":
        """This posterior after ``count`` joint draws of what will be measured at ``queries``: a scenario each."""
        across = self._kernel.covariance(self._features, queries)
        solved = solve_triangular(self._lower, across, lower=True, check_finite=False)
        covariance = self._kernel.covariance(queries, queries) - solved.T @ solved
        lower = cholesky(covariance + self._noise * np.eye(len(queries)), lower=True, check_finite=False)
        drawn = across.T @ self._weights[:, :1] + lower @ rng.standard_normal((len(queries), count))
        return Posterior(
            self._kernel,
            np.concatenate([self._features, queries]),
            np.concatenate([np.repeat(self._targets[:, :1], count, axis=1), drawn]),
            np.concatenate([self._extra, np.zeros(len(queries))]),
        )
