"""Compression recipes as plain data: the steps that turn a trained network into a deployable file.

Each technique is one config class here and one function registered for it in workers/compression.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UnstructuredPruning(_Step):
    """Zeroes the smallest weights by absolute value (L1) in each layer, a share per type of layer.

    https://arxiv.org/abs/1506.02626. The zeros make the file compress better; dense kernels are not faster for them.
    """

    technique: Literal["unstructured_pruning"] = "unstructured_pruning"
    conv: float = Field(default=0.5, ge=0, lt=1)
    pointwise: float = Field(default=0.4, ge=0, lt=1)
    depthwise: float = Field(default=0.2, ge=0, lt=1)
    linear: float = Field(default=0.5, ge=0, lt=1)


class StructuredPruning(_Step):
    """Removes whole channels of least magnitude across the network (DepGraph, https://arxiv.org/abs/2301.12900)."""

    technique: Literal["structured_pruning"] = "structured_pruning"
    ratio: float = Field(default=0.3, gt=0, lt=1)


class FineTuning(_Step):
    """Trains what is left for ``epochs`` with a one-cycle of at most ``learning_rate_fraction`` of the trial's rate."""

    technique: Literal["fine_tuning"] = "fine_tuning"
    epochs: int = Field(default=3, ge=1, le=1000)
    learning_rate_fraction: float = Field(default=0.3, gt=0, le=1)


class DynamicInt8(_Step):
    """Int8 weights of convolutions and linear layers, activations quantized while running (by ONNX Runtime)."""

    technique: Literal["dynamic_int8"] = "dynamic_int8"


class StaticInt8(_Step):
    """Int8 weights per channel and int8 activations, with ranges from the calibration split (QDQ format)."""

    technique: Literal["static_int8"] = "static_int8"
    calibration_images: int = Field(default=128, ge=8, le=100_000)


Step = Annotated[
    UnstructuredPruning | StructuredPruning | FineTuning | DynamicInt8 | StaticInt8,
    Field(discriminator="technique"),
]
QUANTIZATIONS = (DynamicInt8, StaticInt8)


class Recipe(BaseModel):
    """Steps in order. Quantization comes last: it works on the exported file. No steps: the fp32 reference."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=80, pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    steps: tuple[Step, ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _quantization_is_last(self) -> "Recipe":
        for position, step in enumerate(self.steps):
            if isinstance(step, QUANTIZATIONS) and position != len(self.steps) - 1:
                raise ValueError(f"{step.technique} works on the exported file: it must be the last step")
        return self


DEFAULT_RECIPES: tuple[Recipe, ...] = (
    Recipe(name="fp32"),
    Recipe(name="unstructured", steps=(UnstructuredPruning(), FineTuning())),
    Recipe(name="structured", steps=(StructuredPruning(), FineTuning())),
    Recipe(name="dynamic-int8", steps=(DynamicInt8(),)),
    Recipe(name="static-int8", steps=(StaticInt8(),)),
    Recipe(name="structured-static-int8", steps=(StructuredPruning(), FineTuning(), StaticInt8())),
)


def default_recipe(name: str) -> Recipe:
    """The default recipe of that name, or ValueError that lists the names."""
    for recipe in DEFAULT_RECIPES:
        if recipe.name == name:
            return recipe
    known = ", ".join(recipe.name for recipe in DEFAULT_RECIPES)
    raise ValueError(f"unknown recipe {name!r}; known: {known}; or give its steps")
