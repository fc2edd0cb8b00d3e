"""An augmentation policy as plain data: which operations may change a training image, how often and how much."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from search.contract.operations import OPERATIONS
from search.contract.registered import NameIn

OperationName = Annotated[str, NameIn(OPERATIONS)]
OPERATION_NAMES: tuple[OperationName, ...] = tuple(OPERATIONS)
#: Operations that mix images of a batch with each other; they change the labels too.
BATCH_OPERATION_NAMES = tuple(name for name, traits in OPERATIONS.items() if traits.applied_to == "batch")
#: Operations that are applied on their own account, outside the ``max_ops`` that are drawn for an image.
FLIP_NAMES = tuple(name for name, traits in OPERATIONS.items() if traits.applied_to == "flip")
#: Operations that do one thing only, whatever their magnitude.
WITHOUT_MAGNITUDE = tuple(name for name, traits in OPERATIONS.items() if not traits.has_magnitude)


class Operation(BaseModel):
    """One operation, applied with ``probability`` when it is drawn, at ``magnitude`` (0 no change, 1 the range's end).

    The ranges are those of RandAugment (https://arxiv.org/abs/1909.13719) as the TACO competition used them.
    Identity, Invert, AutoContrast, Equalize and the flips have no magnitude and ignore it. MixUp and CutMix draw the
    weight of the other image uniformly from 0 to half the magnitude.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: OperationName = Field(description="the operation")
    probability: float = Field(
        default=1.0, ge=0.0, le=1.0, description="probability with which the operation is applied once it is drawn"
    )
    magnitude: float = Field(
        default=0.5, ge=0.0, le=1.0, description="strength: 0 changes nothing, 1 is the end of the operation's range"
    )


class Policy(BaseModel):
    """Each image gets up to ``max_ops`` of the image operations, drawn anew without replacement for each image.

    Whatever was drawn is applied in the order of ``operations``; then the geometric ones (Rotate, TranslateX,
    TranslateY, ShearX, ShearY) are applied together, as one resampling. Flips and batch operations (MixUp, CutMix,
    which come last) are applied with their own probability, beside the drawn ones. ``copies`` is the number of
    augmented copies of each image that are made ahead and trained on as well; 0 means that every batch is augmented
    with a new draw instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operations: tuple[Operation, ...] = Field(default=(), description="the operations, in the order of application")
    max_ops: int = Field(
        default=2,
        ge=0,
        le=8,
        description="operations drawn for each image, at most; flips, MixUp and CutMix not counted",
    )
    copies: int = Field(
        default=0,
        ge=0,
        le=2,
        description="augmented copies of each image made before training; 0 means a new augmentation in every batch",
    )

    @property
    def image_operations(self) -> tuple[Operation, ...]:
        """The operations from which ``max_ops`` are drawn."""
        apart = BATCH_OPERATION_NAMES + FLIP_NAMES
        return tuple(operation for operation in self.operations if operation.name not in apart)

    @property
    def flips(self) -> tuple[Operation, ...]:
        return tuple(operation for operation in self.operations if operation.name in FLIP_NAMES)

    @property
    def batch_operations(self) -> tuple[Operation, ...]:
        return tuple(operation for operation in self.operations if operation.name in BATCH_OPERATION_NAMES)


#: What a study trains with when its spec says nothing about augmentation.
FLIP_ONLY = Policy(operations=(Operation(name="HorizontalFlip", probability=0.5),), max_ops=0)
