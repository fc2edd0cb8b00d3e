"""What charts are drawn from: points, typical curves and fronts."""

from typing import Any

from pydantic import BaseModel

from api.schemas.trials import TrialView
from api.schemas.variants import VariantView
from search.contract.states import TrialState


class PointView(BaseModel):
    """A completed trial in a chart."""

    id: str
    number: int
    state: TrialState
    host: str | None
    metrics: dict[str, float]
    parameters: dict[str, Any]


class GrowthView(BaseModel):
    """The hypervolume once the trials up to ``number`` were completed."""

    number: int
    hypervolume: float


class PointsView(BaseModel):
    """A study for a chart: of ``total`` completed trials those that shape it. ``hypervolume`` is that of its first two
    objectives, bounded by a point just beyond the worst trial.
    """

    items: list[PointView]
    total: int
    hypervolume: list[GrowthView]


class TypicalEpoch(BaseModel):
    """The quartiles of f1 after an epoch, over the ``trials`` that were completed and told of it."""

    epoch: int
    lower_f1: float
    median_f1: float
    upper_f1: float
    trials: int


class TypicalCurve(BaseModel):
    """How the completed trials of a study learned."""

    epochs: list[TypicalEpoch]


class VariantFront(BaseModel):
    """The variants of one host and runtime that no other dominates in F1 and latency, best F1 first, and the picks.

    Ids of variants: ``recommended`` is the fastest within a point of the best F1, ``ties`` those beside it whose
    latency's interval overlaps with its own, ``knee`` where giving up F1 begins to buy little speed (null where the
    front does not bend), ``best_score`` has the lowest score (null on another target than the study's).
    """

    host: str
    runtime: str
    items: list[VariantView]
    recommended: str
    ties: list[str]
    knee: str | None
    best_score: str | None


class ParetoView(BaseModel):
    """The front of a study's completed trials; ``hypervolume`` is bounded by ``reference``, both by objective.

    ``variants`` are the fronts of its deployable models, one for each host and runtime: never compare across these.
    ``recommended`` is the variant to ship: that of the target's front, null where there is none or more than one.
    """

    items: list[TrialView]
    hypervolume: float
    reference: dict[str, float]
    variants: list[VariantFront]
    recommended: str | None
