"""Gaussian-process regression in NumPy: a sum of Matern 5/2 functions of some of the features each, with a lengthscale
a feature, and noise that may differ by point.

Notation: n points, d features, q queries. ``features`` is float [n, d], standardized; ``targets`` float [n]; ``extra``
[n] the variance of a target beside the noise that all have. The hyperparameters are those of the highest posterior
density. Their priors depend on the number of columns alone (Hvarfner, Hellsten, Nardi: Vanilla Bayesian Optimization
Performs Great in High Dimensions, ICML 2024), and the lengthscales of a part are held together.
"""

import math
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

Floats = NDArray[np.float64]
#: The columns of the features that each part of a kernel looks at.
Columns = tuple[NDArray[np.intp], ...]

#: The middle of a part's lengthscales is log-normal around exp(sqrt(2)) * sqrt(d) for standardized features, and each
#: of them around that middle, the closer the more there are: a few points cannot tell a hundred of them apart.
_MIDDLE_LOCATION, _LENGTH_SCALE = math.sqrt(2.0), math.sqrt(3.0)
#: The parts' variances sum up to about that of the targets; the noise's is log-normal around a seventh of it.
_SIGNAL_SCALE = 1.0
_NOISE_LOCATION, _NOISE_SCALE = -2.0, 2.0
_LEAST_NOISE = 1e-6
#: The hyperparameters of a longer record are fitted to a sample of it, the predictions use more. The first time they
#: are sought on a smaller one, and from there a short way on that.
_FIRST_POINTS, _FIT_POINTS = 100, 256
_FIRST_STEPS, _NEXT_STEPS = 60, 6
#: Where hyperparameters are sought: beyond, the covariance is singular to working precision.
_MIDDLE_BOUNDS, _SIGNAL_BOUNDS, _OFF_BOUNDS, _NOISE_BOUNDS = (-3.0, 12.0), (-8.0, 6.0), (-4.0, 4.0), (-12.0, 3.0)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A Matern 5/2 function of some ``columns`` [c] of the features. Hyperparameters are logarithms: the ``middle`` of
    the lengthscales, how many ``spread`` each lies ``off`` it [c], and the ``signal``, a variance of scaled targets.
    """

    columns: NDArray[np.intp]
    middle: float
    off: Floats
    signal: float

    @property
    def spread(self) -> float:
        return _LENGTH_SCALE / math.sqrt(math.sqrt(max(len(self.columns), 1)))

    @property
    def lengths(self) -> Floats:
        return self.middle + self.spread * self.off

    def scaled(self, features: Floats) -> Floats:
        return np.asarray(features[:, self.columns] * np.exp(-self.lengths))

    def covariance(self, left: Floats, right: Floats) -> Floats:
        return self.at(_root(self.scaled(left), self.scaled(right)))

    def at(self, root: Floats) -> Floats:
        """The covariance of points whose scaled distance, times the square root of 5, is ``root``."""
        return np.asarray(np.exp(self.signal - root) * (1.0 + root * (1.0 + root / 3.0)))

    def vector(self) -> Floats:
        return np.concatenate([(self.middle, self.signal), self.off])

    def moved(self, vector: Floats) -> "Part":
        return Part(columns=self.columns, middle=float(vector[0]), signal=float(vector[1]), off=vector[2:])

    def gradient(self, scaled: Floats, root: Floats, slope: Floats) -> Floats:
        """Of the loss by ``vector``, where ``slope`` [n, n] is that by the covariance."""
        pull = (5.0 / 3.0) * slope * np.exp(self.signal - root) * (1.0 + root)
        by_length = 2.0 * ((pull.sum(axis=1)[:, None] * scaled**2).sum(axis=0) - (scaled * (pull @ scaled)).sum(axis=0))
        by_signal = (slope * self.at(root)).sum()
        return np.concatenate([(by_length.sum(), by_signal), self.spread * by_length])


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """The sum of independent ``parts``, and the logarithm of the ``noise``, a variance of scaled targets."""

    parts: tuple[Part, ...]
    noise: float

    @classmethod
    def prior(cls, columns: Columns) -> "Kernel":
        """The priors' medians for parts of these columns."""
        signal = -math.log(len(columns))
        parts = [
            Part(
                columns=part,
                middle=_MIDDLE_LOCATION + 0.5 * math.log(max(len(part), 1)),
                off=np.zeros(len(part)),
                signal=signal,
            )
            for part in columns
        ]
        return cls(parts=tuple(parts), noise=_NOISE_LOCATION)

    @property
    def columns(self) -> Columns:
        return tuple(part.columns for part in self.parts)

    @property
    def variance(self) -> float:
        """Of the function without noise, at any point."""
        return sum(math.exp(part.signal) for part in self.parts)

    def covariance(self, left: Floats, right: Floats) -> Floats:
        """Of the function without noise, [len(left), len(right)]."""
        return np.asarray(sum(part.covariance(left, right) for part in self.parts))

    def loss(self, features: Floats, targets: Floats, extra: Floats) -> tuple[float, Floats]:
        """Negative log posterior density, and its gradient by ``vector``."""
        scaled = [part.scaled(features) for part in self.parts]
        roots = [_root(own, own) for own in scaled]
        signal = sum(part.at(root) for part, root in zip(self.parts, roots, strict=True))
        noise = math.exp(self.noise) + _LEAST_NOISE
        lower = cholesky(signal + np.diag(noise + extra), lower=True, check_finite=False)
        inverse = _inverse(lower)
        weights = inverse @ targets
        slope = 0.5 * (inverse - np.outer(weights, weights))
        gradients = [part.gradient(own, root, slope) for part, own, root in zip(self.parts, scaled, roots, strict=True)]
        by_noise = float(np.trace(slope)) * math.exp(self.noise)
        fit = 0.5 * float(targets @ weights) + float(np.log(np.diag(lower)).sum())
        scales = self._scales()
        off = (self.vector() - Kernel.prior(self.columns).vector()) / scales
        return fit + 0.5 * float(off @ off), np.append(np.concatenate(gradients), by_noise) + off / scales

    def _scales(self) -> Floats:
        """The standard deviations of the priors of ``vector``."""
        parts = [np.append((_LENGTH_SCALE, _SIGNAL_SCALE), np.ones(len(part.off))) for part in self.parts]
        return np.append(np.concatenate(parts), _NOISE_SCALE)

    def bounds(self) -> list[tuple[float, float]]:
        """Of ``vector``."""
        parts = [[_MIDDLE_BOUNDS, _SIGNAL_BOUNDS, *[_OFF_BOUNDS] * len(part.off)] for part in self.parts]
        return [*chain.from_iterable(parts), _NOISE_BOUNDS]

    def vector(self) -> Floats:
        """All hyperparameters: of each part the middle, the signal and the offsets, then the noise."""
        return np.append(np.concatenate([part.vector() for part in self.parts]), self.noise)

    def moved(self, vector: Floats) -> "Kernel":
        """The kernel of the same parts with other hyperparameters."""
        ends = np.cumsum([2 + len(part.off) for part in self.parts])
        pieces = np.split(vector[:-1], ends[:-1])
        parts = [part.moved(piece) for part, piece in zip(self.parts, pieces, strict=True)]
        return Kernel(parts=tuple(parts), noise=float(vector[-1]))


def fit_kernel(features: Floats, targets: Floats, extra: Floats, rng: np.random.Generator, start: Kernel) -> Kernel:
    """The kernel of the highest posterior density, sought from ``start``: a short way if it was fitted before."""
    if not np.array_equal(start.vector(), Kernel.prior(start.columns).vector()):
        return _sought(start, *_sample(_FIT_POINTS, features, targets, extra, rng), steps=_NEXT_STEPS)
    found = _sought(start, *_sample(_FIRST_POINTS, features, targets, extra, rng), steps=_FIRST_STEPS)
    if len(targets) <= _FIRST_POINTS:
        return found
    return _sought(found, *_sample(_FIT_POINTS, features, targets, extra, rng), steps=_NEXT_STEPS)


def _sample(
    most: int, features: Floats, targets: Floats, extra: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """At most so many of the points, by chance."""
    if len(targets) <= most:
        return features, targets, extra
    chosen = rng.choice(len(targets), most, replace=False)
    return features[chosen], targets[chosen], extra[chosen]


def _sought(start: Kernel, features: Floats, targets: Floats, extra: Floats, *, steps: int) -> Kernel:
    def loss(vector: Floats) -> tuple[float, Floats]:
        return start.moved(vector).loss(features, targets, extra)

    options = {"maxiter": steps}
    found = minimize(loss, start.vector(), jac=True, method="L-BFGS-B", bounds=start.bounds(), options=options)
    return start.moved(found.x)


def _root(left: Floats, right: Floats) -> Floats:
    """The distances of scaled points, times the square root of 5, [len(left), len(right)]."""
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None] - 2.0 * left @ right.T
    return np.asarray(np.sqrt(5.0 * np.maximum(squares, 0.0)))


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
        variance = self._kernel.variance - (solved**2).sum(axis=0)
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
