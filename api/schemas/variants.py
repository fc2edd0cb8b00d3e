"""Deployable models, the recipes that make them, and their predictions."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas.confusion import ConfusionSummaryView
from api.schemas.on_test import OnTest
from search.contract.recipes import NamedRecipe, Step


class ArtifactView(BaseModel):
    """A stored file."""

    id: str = Field(description="The artifact's id: GET /artifacts/{id} returns the file.")
    kind: str = Field(description="`onnx`, `program` (PyTorch), `weights`, `reshaped_weights` or `augmentation`.")
    sha256: str = Field(description="The SHA-256 of the file, in hexadecimal digits.")
    size_bytes: int = Field(description="The size of the file, in bytes.")


class VariantView(OnTest):
    """A deployable model, measured on one host. Never compare latencies across hosts."""

    id: str = Field(description="The variant's id.")
    trial_id: str = Field(description="The trial that it was made from.")
    trial_number: int = Field(description="The number of that trial in its study, from 0.")
    study_id: str = Field(description="The study of that trial.")
    recipe: str = Field(description="The name of the recipe that made it.")
    steps: list[dict[str, object]] = Field(description="The steps of that recipe: each a `technique` with its options.")
    runtime: str = Field(description="The runtime that it was timed and scored in.")
    host: str = Field(description="The machine that it was timed on: CPU or GPU, cores, runtime version, threads.")
    metrics: dict[str, float] = Field(description="Its metrics, by name; units are in the names.")
    parity_error: float | None = Field(
        description="The largest difference between its logits and those of its PyTorch network, as a fraction "
        "of the range of the latter; null if not compared."
    )
    agreement: float | None = Field(
        description="The fraction of images on which it chooses the class that its PyTorch network chooses, 0 to 1; "
        "null if not compared."
    )
    latency: dict[str, object] = Field(
        description="How its latency was measured: percentiles in ms, the number of runs, the load of the host, and "
        "`parent_ms`, the latency of the trial's fp32 file, timed interleaved with it."
    )
    artifacts: list[ArtifactView] = Field(description="Its files.")
    created_at: datetime = Field(description="When it was made.")


class VariantDetail(VariantView):
    """A deployable model with its scores by class."""

    training_id: str | None = Field(
        description="The full training whose weights it was made from; null for weights of the search."
    )
    per_class_f1: list[float] | None = Field(
        description="F1 of each class, scored on the file itself, in the order of the study's classes; null for "
        "variants older than this field."
    )
    confusion: list[list[int]] | None = Field(
        description="Counts of validation images, scored on the file itself: rows are true classes, columns predicted "
        "ones; null for variants older than this field, and above 200 classes."
    )
    confusion_summary: ConfusionSummaryView | None = Field(
        default=None,
        description="What takes the place of the matrix above 200 classes; null for fewer, or unless scored.",
    )


class RecipeView(BaseModel):
    """A compression recipe that can be asked for by name."""

    name: str = Field(description="The name, as POST /trials/{id}/compress takes it.")
    description: str = Field(description="What the recipe does.")
    is_default: bool = Field(description="Whether a study applies it unless its spec lists others.")
    steps: tuple[Step, ...] = Field(description="The steps, in order; none for the fp32 file.")

    @classmethod
    def of(cls, named: NamedRecipe) -> "RecipeView":
        recipe = named.recipe
        return cls(name=recipe.name, description=named.description, is_default=named.is_default, steps=recipe.steps)


class Prediction(BaseModel):
    """A model's prediction for one image."""

    probabilities: dict[str, float] = Field(description="The probability of each class, by its name.")
    latency_ms: float = Field(
        description="The median latency of some runs on the server's own machine, in ms. Other work runs beside them: "
        "to compare models, use the metrics of their variants."
    )
