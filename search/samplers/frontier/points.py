"""Points of a search space: their parameters, and their descriptions, which need no run."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import cast

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search.contract.trials import Assignment, ParameterValue
from search.samplers.distributions import allows, draw_value
from search.spaces.chooser import FAMILY, C, Chooser


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a point costs and looks like, computed before it is run. ValueError for a number that is not finite."""

    objectives: Mapping[int, float] = field(default_factory=dict)
    """Exact values, by the objective's position among the study's directions."""
    constraints: Mapping[str, float] = field(default_factory=dict)
    """Exact violations, by name; <= 0 is feasible."""
    features: Mapping[str, float] = field(default_factory=dict)
    """What the surrogates may use beside the parameters."""
    effort: float | None = None
    """A number that grows with the duration of a run, if there is one."""
    possible: bool = True
    """Whether the point can be run at all."""

    def __post_init__(self) -> None:
        effort = () if self.effort is None else (self.effort,)
        values = (*self.objectives.values(), *self.constraints.values(), *self.features.values(), *effort)
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f"a description has finite numbers only: leave out what is not computed; got {self}")


#: Chooses a point's parameters, each asked of the Chooser as an objective function asks its trial, and describes it.
Describe = Callable[[Chooser], Description]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A described point, with the parameters that matter to it and the distributions that they were drawn from."""

    params: Assignment
    distributions: Mapping[str, BaseDistribution]
    description: Description

    @cached_property
    def key(self) -> frozenset[tuple[str, ParameterValue]]:
        return frozenset(self.params.items())

    @property
    def family(self) -> ParameterValue:
        """The family of a space of several; None in a space of one."""
        return self.params.get(FAMILY)

    @cached_property
    def violation(self) -> float:
        """The largest exact violation; 0 if no limit is violated, infinite if the point cannot be run."""
        if not self.description.possible:
            return math.inf
        return max([0.0, *self.description.constraints.values()])


@dataclass
class PreferringChooser:
    """A Chooser that takes the ``preferred`` values where they are allowed, and draws the others at random."""

    preferred: Assignment
    rng: np.random.Generator
    params: dict[str, ParameterValue] = field(default_factory=dict)
    distributions: dict[str, BaseDistribution] = field(default_factory=dict)

    def suggest_categorical(self, name: str, choices: Sequence[C]) -> C:
        return cast(C, self._suggest(name, _categorical(*choices)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return cast(int, self._suggest(name, _integer(low, high, log, step)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return cast(float, self._suggest(name, _real(low, high, log, step)))

    def _suggest(self, name: str, distribution: BaseDistribution) -> ParameterValue:
        if name not in self.params:
            is_preferred = name in self.preferred and allows(distribution, self.preferred[name])
            self.params[name] = self.preferred[name] if is_preferred else draw_value(distribution, self.rng)
            self.distributions[name] = distribution
        return self.params[name]


# Building a distribution takes longer than drawing from it, and the same ones are asked for again and again. The cache
# tells types apart, since True equals 1.
@lru_cache(maxsize=10_000, typed=True)
def _categorical(*choices: ParameterValue) -> CategoricalDistribution:
    return CategoricalDistribution(choices)


@lru_cache(maxsize=10_000, typed=True)
def _integer(low: int, high: int, log: bool, step: int) -> IntDistribution:
    return IntDistribution(low, high, log=log, step=step)


@lru_cache(maxsize=10_000, typed=True)
def _real(low: float, high: float, log: bool, step: float | None) -> FloatDistribution:
    return FloatDistribution(low, high, log=log, step=step)


def describe_point(describe: Describe, preferred: Assignment, rng: np.random.Generator) -> Point:
    """A point with the ``preferred`` values; those that are missing or not allowed are drawn at random."""
    chooser = PreferringChooser(preferred=preferred, rng=rng)
    description = describe(chooser)
    return Point(params=chooser.params, distributions=chooser.distributions, description=description)
