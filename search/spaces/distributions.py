"""Values of Optuna's distributions: which are allowed, one by chance, and where a number lies in its range."""

import math
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution


def allows(distribution: BaseDistribution, value: Any) -> bool:
    """Whether it may be drawn; a number that is written as a text may not."""
    if isinstance(value, str) and not isinstance(distribution, CategoricalDistribution):
        return False
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False


def draw_value(distribution: BaseDistribution, rng: np.random.Generator) -> Any:
    """A value by chance: evenly by its logarithm where the range is logarithmic."""
    return from_unit(distribution, float(rng.random()))


def from_unit(distribution: BaseDistribution, share: float) -> Any:
    """The value at ``share`` of the way, from 0 to below 1, through a distribution."""
    share = min(max(share, 0.0), math.nextafter(1.0, 0.0))
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    low, high, step = distribution.low, distribution.high, distribution.step
    if isinstance(distribution, IntDistribution) and distribution.log:
        value = math.exp(math.log(low - 0.5) + share * (math.log(high + 0.5) - math.log(low - 0.5)))
        return min(max(round(value), low), high)
    if distribution.log:
        return min(max(math.exp(math.log(low) + share * (math.log(high) - math.log(low))), low), high)
    if step is None:
        return min(low + share * (high - low), high)
    steps = math.floor((high - low) / step + 1e-9) + 1
    value = low + step * int(share * steps)
    return int(value) if isinstance(distribution, IntDistribution) else min(value, high)


def to_unit(distribution: BaseDistribution, value: Any) -> float:
    """Where a number lies in its range, from 0 to 1; by its logarithm where the range is logarithmic."""
    low, high = distribution.low, distribution.high
    if distribution.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return float((value - low) / (high - low)) if high > low else 0.5
