"""Which choices are looked at next: by chance, and near points that are good already."""

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.samplers.frontier.points import Point
from search.spaces.distributions import draw_value, from_unit, to_unit

#: A number moves by a normal step of this share of its range, half of the time; else it is drawn anew.
_STEP = 0.1


def mutated(parent: Point, rng: np.random.Generator) -> dict[str, Any]:
    """The parent's choices with some drawn again: one of them, two with half the probability, and so on."""
    names = list(parent.params)
    count = min(int(rng.geometric(0.5)), len(names))
    wanted = dict(parent.params)
    for index in rng.choice(len(names), count, replace=False):
        name = names[index]
        wanted[name] = _moved(parent.distributions[name], wanted[name], rng)
    return wanted


def crossed(first: Point, second: Point, rng: np.random.Generator) -> dict[str, Any]:
    """Each choice of one of two parents; a choice that only one has is taken from it."""
    wanted = {**second.params, **first.params}
    for name in second.params:
        if name in first.params and rng.random() < 0.5:
            wanted[name] = second.params[name]
    return wanted


def _moved(distribution: BaseDistribution, value: Any, rng: np.random.Generator) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        others = [choice for choice in distribution.choices if choice != value]
        return others[int(rng.integers(len(others)))] if others else value
    if rng.random() < 0.5:
        return from_unit(distribution, to_unit(distribution, value) + _STEP * float(rng.standard_normal()))
    return draw_value(distribution, rng)
