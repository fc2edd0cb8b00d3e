"""Confusions of classes, as trials, variants and trainings show them."""

from pydantic import BaseModel, Field


class ConfusionSummaryView(BaseModel):
    """Counts of validation images by class, in the order of the study's classes, and the largest confusions."""

    images: list[int] = Field(description="Images of each class.")
    hits: list[int] = Field(description="Images of each class that were predicted as it.")
    predicted: list[int] = Field(description="Images that were predicted as each class, whatever their class.")
    largest: list[tuple[int, int, int]] = Field(
        description="At most 1,000 confusions as `[true class, predicted class, images]`, by the position of the "
        "classes, the most images first."
    )
    confusions: int = Field(description="How many pairs of classes were confused in all.")
