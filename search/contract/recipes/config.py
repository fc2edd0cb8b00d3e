"""What the config classes of all techniques have in common."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

#: The description of the field ``technique``, by which a step is recognized.
TECHNIQUE = "the name of this technique"
LEARNING_RATE_FRACTION = "learning rate, as a fraction of the candidate's own"


class StepConfig(BaseModel):
    """A step that changes the network."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    if TYPE_CHECKING:
        # Each technique has this field with its name as the one value: the discriminator of Step.
        technique: str


class FileStepConfig(StepConfig):
    """A step that changes the exported file instead."""


class TrainingConfig(StepConfig):
    """A training as the candidate wants it (loss, smoothing, schedule, optimizer, decay, augmentation) for ``epochs``,
    with ``learning_rate_fraction`` of its learning rate.
    """

    epochs: int = Field(default=10, ge=1, le=1000, description="training epochs")
    learning_rate_fraction: float = Field(default=0.3, gt=0, le=1, description=LEARNING_RATE_FRACTION)
