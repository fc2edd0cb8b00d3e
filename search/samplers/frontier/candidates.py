"""Variation operators of the inner evolutionary search: mutation and crossover."""

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.contract.trials import ParameterValue
from search.samplers.distributions import draw_value, from_unit, to_unit
from search.samplers.frontier.points import Point

#: Standard deviation of a mutation step, as a fraction of the range. Half of the mutations draw a new value instead.
_STEP = 0.1


def mutate(parent: Point, rng: np.random.Generator) -> dict[str, ParameterValue]:
    """The parent's parameters with some changed: one, two with half the probability, and so on."""
    names = list(parent.params)
    count = min(int(rng.geometric(0.5)), len(names))
    params = dict(parent.params)
    for index in rng.choice(len(names), count, replace=False):
        name = names[index]
        params[name] = _mutated_value(parent.distributions[name], params[name], rng)
    return params


def cross(first: Point, second: Point, rng: np.random.Generator) -> dict[str, ParameterValue]:
    """Uniform crossover: each parameter of one of two parents; one that only one of them has is taken from it."""
    params = {**second.params, **first.params}
    for name in second.params:
        if name in first.params and rng.random() < 0.5:
            params[name] = second.params[name]
    return params


def _mutated_value(distribution: BaseDistribution, value: ParameterValue, rng: np.random.Generator) -> ParameterValue:
    if isinstance(distribution, CategoricalDistribution):
        others = [choice for choice in distribution.choices if choice != value]
        return others[int(rng.integers(len(others)))] if others else value
    if rng.random() < 0.5:
        return from_unit(distribution, to_unit(distribution, value) + _STEP * float(rng.standard_normal()))
    return draw_value(distribution, rng)
