"""What is measured of a model, what a study wants of it, and the competition's score.

Metrics: f1 (macro), accuracy, latency_ms (median, batch 1, on the target), latency_p90_ms, macs (multiply-accumulates
of one image), params, size_bytes (of the exported file), memory_bytes (the least that one image's inference needs in
float32), score (lower is better).
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MetricName = Literal[
    "f1", "accuracy", "latency_ms", "latency_p90_ms", "macs", "params", "size_bytes", "memory_bytes", "score"
]

Metrics = Mapping[str, float]


class Goal(StrEnum):
    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


#: The direction that is better, for sorting and for "best so far".
NATURAL_GOALS: dict[MetricName, Goal] = {
    "f1": Goal.MAXIMIZE,
    "accuracy": Goal.MAXIMIZE,
    "latency_ms": Goal.MINIMIZE,
    "latency_p90_ms": Goal.MINIMIZE,
    "macs": Goal.MINIMIZE,
    "params": Goal.MINIMIZE,
    "size_bytes": Goal.MINIMIZE,
    "memory_bytes": Goal.MINIMIZE,
    "score": Goal.MINIMIZE,
}


#: Known at the end of a training only.
TRAINED_METRICS: tuple[MetricName, ...] = ("f1", "accuracy", "score")


class Objective(BaseModel):
    """A metric to maximize or to minimize."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: MetricName = Field(description="the metric; its unit is in its name")
    goal: Goal = Field(description="which direction is better")


class Constraint(BaseModel):
    """A metric must not exceed ``max`` nor fall below ``min``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    metric: MetricName = Field(description="the metric; its unit is in its name")
    min: float | None = Field(default=None, description="lowest value allowed; none means no lower limit")
    max: float | None = Field(default=None, description="highest value allowed; none means no upper limit")

    @model_validator(mode="after")
    def _has_a_bound(self) -> "Constraint":
        if self.min is None and self.max is None:
            raise ValueError(f"the constraint on {self.metric} needs a min or a max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self

    def violation(self, value: float) -> float:
        """How far ``value`` is outside, in the metric's unit; feasible is <= 0."""
        excess = -math.inf if self.max is None else value - self.max
        lack = -math.inf if self.min is None else self.min - value
        return max(excess, lack)

    def complaint(self, value: float) -> str:
        """One line that shows the offending value."""
        if self.max is not None and value > self.max:
            return f"{self.metric} {value:g} is above the limit of {self.max:g}"
        return f"{self.metric} {value:g} is below the limit of {self.min:g}"


def first_complaint(constraints: Sequence[Constraint], metrics: Metrics) -> str | None:
    """Why ``metrics`` are infeasible, or None. Metrics that have not been measured yet are skipped."""
    for constraint in constraints:
        value = metrics.get(constraint.metric)
        if value is not None and constraint.violation(value) > 0:
            return constraint.complaint(value)
    return None


class Score(BaseModel):
    """The competition's score: time and F1 in one number, lower is better.

    ``score = time_weight * T / time_reference_s + sigmoid(f1_steepness * (f1_reference - f1))`` with
    ``T = images * latency + overhead_s`` in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    f1_reference: float = Field(default=0.70, ge=0, le=1, description="macro F1 at which the F1 term is one half")
    f1_steepness: float = Field(default=20, gt=0, description="how steeply the F1 term falls as F1 rises")
    time_reference_s: float = Field(default=43.16, gt=0, description="seconds at which the time term is time_weight")
    time_weight: float = Field(default=0.5, ge=0, description="weight of the time term; 0 means that time is free")
    images: int = Field(default=5217, ge=1, description="images whose inference is counted as time")
    overhead_s: float = Field(default=0, ge=0, description="seconds added to the time of all inferences")

    def of(self, *, f1: float, latency_ms: float) -> float:
        """The score of a model with macro ``f1`` that takes ``latency_ms`` an image."""
        total_s = self.images * latency_ms / 1000 + self.overhead_s
        return self.time_weight * total_s / self.time_reference_s + _sigmoid(
            self.f1_steepness * (self.f1_reference - f1)
        )


def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    return math.exp(x) / (1 + math.exp(x))
