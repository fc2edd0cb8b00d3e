"""Data of the charts: points, typical curves and fronts."""

from pydantic import BaseModel, Field

from api.schemas.trials import TrialView
from api.schemas.variants import VariantView
from search.contract.states import TrialState
from search.contract.trials import TrialRole


class PointView(BaseModel):
    """A completed trial as a point of a chart."""

    id: str = Field(description="The trial's id.")
    number: int = Field(description="Its number in the study, from 0.")
    state: TrialState = Field(description="The trial's state.")
    role: TrialRole | None = Field(description="Its role, as of a trial; null for most.")
    family: str | None = Field(description="The family that its network is of; null in a study of one family.")
    host: str | None = Field(description="The machine that its latency was measured on; null if it was not.")
    metrics: dict[str, float] = Field(description="Its metrics, by name; units are in the names.")
    parameters: dict[str, object] = Field(description="The values of the parameters that were asked for, by name.")


class GrowthView(BaseModel):
    """The hypervolume after a trial."""

    number: int = Field(description="The number of the trial.")
    hypervolume: float = Field(description="The hypervolume of the completed trials up to this one.")


class PointsView(BaseModel):
    """A study as a chart."""

    items: list[PointView] = Field(
        description="All completed trials, or those that determine the shape of the chart if there are too many."
    )
    total: int = Field(description="How many trials were completed.")
    hypervolume: list[GrowthView] = Field(
        description="The growth of the hypervolume of the first two objectives. Its reference point is just beyond the "
        "worst trial."
    )


class TypicalEpoch(BaseModel):
    """The quartiles of F1 after an epoch, over completed trials."""

    epoch: int = Field(description="The number of the epoch, from 1.")
    lower_f1: float = Field(description="The lower quartile of F1.")
    median_f1: float = Field(description="The median of F1.")
    upper_f1: float = Field(description="The upper quartile of F1.")
    trials: int = Field(description="How many trials reported this epoch.")


class TypicalCurve(BaseModel):
    """The typical learning curve of a study's completed trials."""

    epochs: list[TypicalEpoch] = Field(description="One item per epoch.")


class VariantFront(BaseModel):
    """The variants of one host and runtime that no other dominates in F1 and latency, and the picks among them."""

    host: str = Field(description="The machine that they were timed on.")
    runtime: str = Field(description="The runtime that they were timed and scored in.")
    items: list[VariantView] = Field(description="The non-dominated variants, best F1 first.")
    recommended: str = Field(description="The id of the fastest variant within 0.01 of the best F1.")
    ties: list[str] = Field(
        description="The ids of variants within 0.01 of the best F1 whose latency interval overlaps with that of the "
        "recommended one."
    )
    knee: str | None = Field(
        description="The id of the variant at the knee: beyond it, a small gain in F1 costs much latency; null if the "
        "front does not bend."
    )
    best_score: str | None = Field(
        description="The id of the variant with the lowest score; null on another target than the study's."
    )


class ParetoView(BaseModel):
    """The fronts of a study: of its completed trials, and of its variants for each host and runtime."""

    items: list[TrialView] = Field(description="The non-dominated trials, best F1 first.")
    hypervolume: float = Field(description="The hypervolume of these trials, over all objectives.")
    reference: dict[str, float] = Field(
        description="By objective, the reference point of the hypervolume, just beyond the worst completed trial."
    )
    variants: list[VariantFront] = Field(
        description="The fronts of the variants, one for each host and runtime: never compare across these."
    )
    recommended: str | None = Field(
        description="The id of the variant to ship: the recommended one of the study's target; null if there is none, "
        "or more than one."
    )
