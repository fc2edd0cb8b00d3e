"""Gaussian-process regression in NumPy: fitting the kernel, and the posterior.

Notation: n points, d features, q queries, p pending points, s samples of what is pending. ``features`` is float
[n, d], standardized; ``targets`` float [n] or [n, s]; ``noise_variance`` [n] is a target's own.
"""

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from search.samplers.frontier.arrays import Floats
from search.samplers.frontier.kernel import Kernel

#: Points that hyperparameters are fitted to, at most: the first fit starts with fewer, and goes on with more.
_FIRST_POINTS, _FIT_POINTS = 100, 256
_FIRST_STEPS, _NEXT_STEPS = 60, 6


def fit_kernel(
    features: Floats, targets: Floats, noise_variance: Floats, rng: np.random.Generator, initial: Kernel
) -> Kernel:
    """The kernel of the highest posterior density (MAP), by L-BFGS-B from ``initial``: few steps if it was fitted."""
    data = (features, targets, noise_variance)
    if not np.array_equal(initial.hyperparameters(), Kernel.prior(initial.column_groups).hyperparameters()):
        return _optimize(initial, *_subsample(_FIT_POINTS, *data, rng), steps=_NEXT_STEPS)
    kernel = _optimize(initial, *_subsample(_FIRST_POINTS, *data, rng), steps=_FIRST_STEPS)
    if len(targets) <= _FIRST_POINTS:
        return kernel
    return _optimize(kernel, *_subsample(_FIT_POINTS, *data, rng), steps=_NEXT_STEPS)


def _subsample(
    count: int, features: Floats, targets: Floats, noise_variance: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """At most ``count`` of the points, at random."""
    if len(targets) <= count:
        return features, targets, noise_variance
    chosen = rng.choice(len(targets), count, replace=False)
    return features[chosen], targets[chosen], noise_variance[chosen]


def _optimize(initial: Kernel, features: Floats, targets: Floats, noise_variance: Floats, *, steps: int) -> Kernel:
    def loss(vector: Floats) -> tuple[float, Floats]:
        return initial.with_hyperparameters(vector).loss(features, targets, noise_variance)

    options = {"maxiter": steps}
    start, bounds = initial.hyperparameters(), initial.bounds()
    optimum = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return initial.with_hyperparameters(optimum.x)


class Posterior:
    """The Gaussian process given n noisy targets, in s samples that differ in the targets alone."""

    def __init__(self, kernel: Kernel, features: Floats, targets: Floats, noise_variance: Floats) -> None:
        """``targets`` is [n, s]."""
        self._kernel, self._features, self._targets = kernel, features, targets
        self._noise_variance = noise_variance
        covariance = kernel.covariance(features, features) + np.diag(kernel.noise_variance + noise_variance)
        self._lower = cholesky(covariance, lower=True, check_finite=False)
        self._weights = cho_solve((self._lower, True), targets, check_finite=False)

    def predict(self, queries: Floats) -> tuple[Floats, Floats]:
        """The function without noise: its mean in each sample [q, s], and its standard deviation [q]."""
        across = self._kernel.covariance(self._features, queries)
        solved = solve_triangular(self._lower, across, lower=True, check_finite=False)
        variance = self._kernel.variance - (solved**2).sum(axis=0)
        return across.T @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def denoised(self) -> Floats:
        """The function's mean at the n points themselves [n, s]."""
        noise = self._kernel.noise_variance + self._noise_variance
        return np.asarray(self._targets - noise[:, None] * self._weights)

    def fantasize(self, pending: Floats, count: int, rng: np.random.Generator) -> "Posterior":
        """The posterior given joint samples of the targets at ``pending`` [p, d] too: s = ``count``, n + p points."""
        across = self._kernel.covariance(self._features, pending)
        solved = solve_triangular(self._lower, across, lower=True, check_finite=False)
        covariance = self._kernel.covariance(pending, pending) - solved.T @ solved
        noise = self._kernel.noise_variance * np.eye(len(pending))
        lower = cholesky(covariance + noise, lower=True, check_finite=False)
        fantasies = across.T @ self._weights[:, :1] + lower @ rng.standard_normal((len(pending), count))
        return Posterior(
            self._kernel,
            np.concatenate([self._features, pending]),
            np.concatenate([np.repeat(self._targets[:, :1], count, axis=1), fantasies]),
            np.concatenate([self._noise_variance, np.zeros(len(pending))]),
        )
