"""Points of a space: what is known of one before it is run, and the choices that lead to it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from search.chooser import Chooser

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
    possible: bool = True

    def __post_init__(self) -> None:
        values = (*self.objectives.values(), *self.constraints.values(), *self.features.values())
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

    @property
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
