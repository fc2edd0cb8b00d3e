"""Values of Optuna's distributions: which are allowed, a random one, and the position of a number in its range."""

import math

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search.contract.trials import ParameterValue


def allows(distribution: BaseDistribution, value: ParameterValue) -> bool:
    """Whether the distribution has the value. A number that is written as a text is not a number."""
    if isinstance(value, str) and not isinstance(distribution, CategoricalDistribution):
        return False
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False


def draw_value(distribution: BaseDistribution, rng: np.random.Generator) -> ParameterValue:
    """A random value, uniform in its logarithm where the range is logarithmic."""
    return from_unit(distribution, float(rng.random()))


def from_unit(distribution: BaseDistribution, position: float) -> ParameterValue:
    """The value at a ``position`` in the distribution, from 0 to below 1."""
    position = min(max(position, 0.0), math.nextafter(1.0, 0.0))
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(position * len(distribution.choices))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high, step = distribution.low, distribution.high, distribution.step
    if isinstance(distribution, IntDistribution) and distribution.log:
        value = math.exp(math.log(low - 0.5) + position * (math.log(high + 0.5) - math.log(low - 0.5)))
        return min(max(round(value), distribution.low), distribution.high)
    if distribution.log:
        return min(max(math.exp(math.log(low) + position * (math.log(high) - math.log(low))), low), high)
    if step is None:
        return min(low + position * (high - low), high)
    steps = math.floor((high - low) / step + 1e-9) + 1
    value = low + step * int(position * steps)
    return int(value) if isinstance(distribution, IntDistribution) else min(value, high)


def to_unit(distribution: BaseDistribution, value: ParameterValue) -> float:
    """The position of a number in its range, from 0 to 1; by its logarithm where the range is logarithmic."""
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    assert isinstance(value, int | float)
    low, high = float(distribution.low), float(distribution.high)
    number = float(value)
    if distribution.log:
        low, high, number = math.log(low), math.log(high), math.log(number)
    return (number - low) / (high - low) if high > low else 0.5
