"""The covariance function of the surrogates: a sum of Matern 5/2 components and noise.

Notation: n points, d features, c columns of the features that a component uses. ``features`` is float [n, d],
standardized; ``targets`` float [n]; ``noise_variance`` [n] is a target's own, beside the common noise.
Hyperparameters are logarithms. Their priors depend on the number of columns alone (Hvarfner, Hellsten, Nardi: Vanilla
Bayesian Optimization Performs Great in High Dimensions, ICML 2024).
"""

import math
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotri

from search.samplers.frontier.arrays import Floats, Indices

#: A component's common lengthscale is log-normal around exp(sqrt(2)) * sqrt(c) for standardized features. Each column's
#: own lies around it, the closer the more columns there are: a few points cannot tell a hundred of them apart.
_LENGTHSCALE_LOCATION, _LENGTHSCALE_STD = math.sqrt(2.0), math.sqrt(3.0)
#: The output scales add up to about the targets' variance; the noise is log-normal around a seventh of it.
_OUTPUTSCALE_STD = 1.0
_NOISE_LOCATION, _NOISE_STD = -2.0, 2.0
_MIN_NOISE = 1e-6
#: Bounds of the hyperparameters: beyond, the covariance is singular to working precision.
_LENGTHSCALE_BOUNDS, _OUTPUTSCALE_BOUNDS = (-3.0, 12.0), (-8.0, 6.0)
_OFFSET_BOUNDS, _NOISE_BOUNDS = (-4.0, 4.0), (-12.0, 3.0)


@dataclass(frozen=True, kw_only=True)
class MaternComponent:
    """A Matern 5/2 function of some columns of the features, with one lengthscale per column."""

    columns: Indices
    """[c]"""
    log_lengthscale: float
    """The common lengthscale."""
    offset: Floats
    """[c]: how far each column's lengthscale lies from the common one, in units of ``offset_std``."""
    log_outputscale: float
    """The variance of the function, in units of the targets' variance."""

    @property
    def offset_std(self) -> float:
        return _LENGTHSCALE_STD / math.sqrt(math.sqrt(max(len(self.columns), 1)))

    @property
    def log_lengthscales(self) -> Floats:
        """Of each column [c]."""
        return self.log_lengthscale + self.offset_std * self.offset

    def scale(self, features: Floats) -> Floats:
        """The columns in units of their lengthscales [n, c]."""
        return np.asarray(features[:, self.columns] * np.exp(-self.log_lengthscales))

    def covariance(self, left: Floats, right: Floats) -> Floats:
        """[len(left), len(right)]"""
        return self.covariance_at(_distance(self.scale(left), self.scale(right)))

    def covariance_at(self, distance: Floats) -> Floats:
        """The covariance of points at a scaled ``distance``, which includes the factor sqrt(5)."""
        return np.asarray(np.exp(self.log_outputscale - distance) * (1.0 + distance * (1.0 + distance / 3.0)))

    def hyperparameters(self) -> Floats:
        return np.concatenate([(self.log_lengthscale, self.log_outputscale), self.offset])

    def with_hyperparameters(self, vector: Floats) -> "MaternComponent":
        return MaternComponent(
            columns=self.columns, log_lengthscale=float(vector[0]), log_outputscale=float(vector[1]), offset=vector[2:]
        )

    def gradient(self, scaled: Floats, distance: Floats, by_covariance: Floats) -> Floats:
        """The loss's gradient by ``hyperparameters``, from its gradient ``by_covariance`` [n, n]."""
        weight = (5.0 / 3.0) * by_covariance * np.exp(self.log_outputscale - distance) * (1.0 + distance)
        squares = (weight.sum(axis=1)[:, None] * scaled**2).sum(axis=0)
        by_lengthscale = 2.0 * (squares - (scaled * (weight @ scaled)).sum(axis=0))
        by_outputscale = (by_covariance * self.covariance_at(distance)).sum()
        return np.concatenate([(by_lengthscale.sum(), by_outputscale), self.offset_std * by_lengthscale])


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """The sum of independent components, and the noise."""

    components: tuple[MaternComponent, ...]
    log_noise: float
    """Of the common noise variance, in units of the targets' variance."""

    @classmethod
    def prior(cls, column_groups: tuple[Indices, ...]) -> "Kernel":
        """The medians of the priors, with one component per group of columns."""
        components = [
            MaternComponent(
                columns=columns,
                log_lengthscale=_LENGTHSCALE_LOCATION + 0.5 * math.log(max(len(columns), 1)),
                offset=np.zeros(len(columns)),
                log_outputscale=-math.log(len(column_groups)),
            )
            for columns in column_groups
        ]
        return cls(components=tuple(components), log_noise=_NOISE_LOCATION)

    @property
    def column_groups(self) -> tuple[Indices, ...]:
        return tuple(component.columns for component in self.components)

    @property
    def variance(self) -> float:
        """Of the function without noise, at any point."""
        return sum(math.exp(component.log_outputscale) for component in self.components)

    @property
    def noise_variance(self) -> float:
        return math.exp(self.log_noise) + _MIN_NOISE

    def covariance(self, left: Floats, right: Floats) -> Floats:
        """Of the function without noise, [len(left), len(right)]."""
        return np.asarray(sum(component.covariance(left, right) for component in self.components))

    def loss(self, features: Floats, targets: Floats, noise_variance: Floats) -> tuple[float, Floats]:
        """Negative log posterior density, up to a constant, and its gradient by ``hyperparameters``."""
        scaled = [component.scale(features) for component in self.components]
        distances = [_distance(own, own) for own in scaled]
        pairs = zip(self.components, distances, strict=True)
        signal = sum(component.covariance_at(distance) for component, distance in pairs)
        lower = cholesky(signal + np.diag(self.noise_variance + noise_variance), lower=True, check_finite=False)
        inverse = _inverse(lower)
        weights = inverse @ targets
        by_covariance = 0.5 * (inverse - np.outer(weights, weights))
        triples = zip(self.components, scaled, distances, strict=True)
        gradients = [component.gradient(own, distance, by_covariance) for component, own, distance in triples]
        by_noise = float(np.trace(by_covariance)) * math.exp(self.log_noise)
        likelihood = 0.5 * float(targets @ weights) + float(np.log(np.diag(lower)).sum())
        prior_stds = self._prior_stds()
        deviations = (self.hyperparameters() - Kernel.prior(self.column_groups).hyperparameters()) / prior_stds
        gradient = np.append(np.concatenate(gradients), by_noise) + deviations / prior_stds
        return likelihood + 0.5 * float(deviations @ deviations), gradient

    def hyperparameters(self) -> Floats:
        """Of each component the lengthscale, the output scale and the offsets, then the noise."""
        return np.append(np.concatenate([component.hyperparameters() for component in self.components]), self.log_noise)

    def with_hyperparameters(self, vector: Floats) -> "Kernel":
        ends = np.cumsum([2 + len(component.offset) for component in self.components])
        pieces = np.split(vector[:-1], ends[:-1])
        pairs = zip(self.components, pieces, strict=True)
        components = [component.with_hyperparameters(piece) for component, piece in pairs]
        return Kernel(components=tuple(components), log_noise=float(vector[-1]))

    def bounds(self) -> list[tuple[float, float]]:
        """Of ``hyperparameters``."""
        components = [
            [_LENGTHSCALE_BOUNDS, _OUTPUTSCALE_BOUNDS, *[_OFFSET_BOUNDS] * len(component.offset)]
            for component in self.components
        ]
        return [*chain.from_iterable(components), _NOISE_BOUNDS]

    def _prior_stds(self) -> Floats:
        """The standard deviations of the priors of ``hyperparameters``."""
        common = (_LENGTHSCALE_STD, _OUTPUTSCALE_STD)
        components = [np.append(common, np.ones(len(component.offset))) for component in self.components]
        return np.append(np.concatenate(components), _NOISE_STD)


def _distance(left: Floats, right: Floats) -> Floats:
    """The distances of scaled points, times sqrt(5), [len(left), len(right)]."""
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None] - 2.0 * left @ right.T
    return np.asarray(np.sqrt(5.0 * np.maximum(squares, 0.0)))


def _inverse(lower: Floats) -> Floats:
    """The inverse of the matrix whose Cholesky factor is ``lower``."""
    half, _ = dpotri(lower, lower=True)
    return np.asarray(half + np.tril(half, -1).T)
