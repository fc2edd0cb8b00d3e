"""Scores on the test split, as trials and variants show them."""

from pydantic import BaseModel, Field


class OnTest(BaseModel):
    """Macro F1 on the test split, which no search and no choice reads."""

    f1_test: float | None = Field(
        default=None,
        description="Macro F1 on the test split; null for models that were not scored on it: a study scores its picks "
        "when it ends, and every full training.",
    )
    f1_test_low: float | None = Field(
        default=None, description="The lower end of the 95% interval of `f1_test`, over the images; null without it."
    )
    f1_test_high: float | None = Field(
        default=None, description="The upper end of the 95% interval of `f1_test`, over the images; null without it."
    )
    test_images: int | None = Field(
        default=None, description="How many test images `f1_test` was measured on; null without it."
    )
