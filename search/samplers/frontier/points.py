"""Points of a space: what is known of one before it is run, and the choices that lead to it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search.spaces.chooser import Chooser
from search.spaces.distributions import allows, draw_value

Params = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a point costs and looks like before it is run.

    ``objectives`` are exact values by their position among the study's directions, ``constraints`` exact violations by
    name (<= 0 is feasible), ``features`` what the model may learn from beside the choices themselves. What can never
    be run is not ``possible``.
    """

    objectives: Mapping[int, float] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    effort: float | None = None
    possible: bool = True

    def __post_init__(self) -> None:
        effort = () if self.effort is None else (self.effort,)
        values = (*self.objectives.values(), *self.constraints.values(), *self.features.values(), *effort)
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f"a description holds finite numbers only, what is not known is left out; got {self}")


#: Makes a point's choices, each asked of the Chooser as an objective function asks its trial, and describes the point.
Describe = Callable[[Chooser], Description]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A described point: only the choices that matter to it, and from which distributions they were drawn."""

    params: Params
    distributions: Mapping[str, BaseDistribution]
    known: Description

    @cached_property
    def key(self) -> frozenset[tuple[str, Any]]:
        return frozenset(self.params.items())


@dataclass
class Drawing:
    """A Chooser that takes the ``wanted`` choices where they are allowed, and draws the others by chance."""

    wanted: Params
    rng: np.random.Generator
    params: dict[str, Any] = field(default_factory=dict)
    distributions: dict[str, BaseDistribution] = field(default_factory=dict)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self.suggest(name, _categorical(*choices))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> Any:
        return self.suggest(name, _integer(low, high, log, step))

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False) -> Any:
        return self.suggest(name, _real(low, high, log, step))

    def suggest(self, name: str, distribution: BaseDistribution) -> Any:
        if name not in self.params:
            wanted = name in self.wanted and allows(distribution, self.wanted[name])
            self.params[name] = self.wanted[name] if wanted else draw_value(distribution, self.rng)
            self.distributions[name] = distribution
        return self.params[name]


# Checking a distribution takes longer than drawing from it, and the same ones are asked for again and again. They are
# kept by the types of their values too: True equals 1.
@lru_cache(maxsize=10_000, typed=True)
def _categorical(*choices: Any) -> CategoricalDistribution:
    return CategoricalDistribution(choices)


@lru_cache(maxsize=10_000, typed=True)
def _integer(low: int, high: int, log: bool, step: int) -> IntDistribution:
    return IntDistribution(low, high, log=log, step=step)


@lru_cache(maxsize=10_000, typed=True)
def _real(low: float, high: float, log: bool, step: float | None) -> FloatDistribution:
    return FloatDistribution(low, high, log=log, step=step)


def describe_point(describe: Describe, wanted: Params, rng: np.random.Generator) -> Point:
    """The point nearest to what is ``wanted``: choices that are missing or not allowed are drawn by chance."""
    drawing = Drawing(wanted=wanted, rng=rng)
    known = describe(drawing)
    return Point(params=drawing.params, distributions=drawing.distributions, known=known)
