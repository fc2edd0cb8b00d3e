"""Deployable models, the recipes that make them, and what they say of a picture."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from search.contract.recipes import NamedRecipe, Step


class ArtifactView(BaseModel):
    id: str
    kind: str
    sha256: str
    size_bytes: int


class VariantView(BaseModel):
    """A deployable model. ``latency`` tells how it was measured; ``host`` where: never compare across hosts."""

    id: str
    trial_id: str
    trial_number: int
    study_id: str
    recipe: str
    steps: list[dict[str, Any]]
    runtime: str
    host: str
    metrics: dict[str, float]
    parity_error: float | None
    agreement: float | None
    latency: dict[str, Any]
    artifacts: list[ArtifactView]
    created_at: datetime


class VariantDetail(VariantView):
    """``per_class_f1`` and ``confusion`` (rows the true class) of the file itself, in the order of the study's classes;
    null for variants that were made before these were kept. ``training_id`` is the training in full whose weights it
    was made from, null for those of the search.
    """

    training_id: str | None
    per_class_f1: list[float] | None
    confusion: list[list[int]] | None


class RecipeView(BaseModel):
    """A recipe that can be asked for by its name; ``is_default`` where a study applies it unless it lists others."""

    name: str
    description: str
    is_default: bool
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, named: NamedRecipe) -> "RecipeView":
        recipe = named.recipe
        return cls(name=recipe.name, description=named.description, is_default=named.is_default, steps=recipe.steps)


class Prediction(BaseModel):
    """What a model says of one picture: a probability for each class. ``latency_ms`` is the median of some runs on the
    server's own machine, beside whatever else it does: to compare models, look at the variants' own.
    """

    probabilities: dict[str, float]
    latency_ms: float
