"""SpaceSpec: what the search may choose from, that is the network, its training and its augmentation policy."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from search.contract.augmentation import OPERATION_NAMES, OperationName, Policy
from search.contract.training_settings import LossName, OptimizerName, ScheduleName
from search.contract.values import (
    BatchSizes,
    CopyCounts,
    EmaDecays,
    EpochCounts,
    Fractions,
    Range,
    Sides,
    choices_of,
    one_or_more,
)
from search.spaces.presets import ArchitectureChoice, families
from search.spaces.pretrained import PRETRAINED_DEFAULTS, may_be_pretrained, pretrained_families
from search.study.part import SpecPart


def _all_operations(value: Any) -> Any:
    return OPERATION_NAMES if value == "all" else value


class AugmentationSpec(SpecPart):
    """The policies that may be drawn: each operation on or off with a magnitude, ``max_ops`` per image, copies.

    Or ``fixed``: the one policy of every trial.
    """

    fixed: Policy | None = Field(
        default=None,
        description="the one policy of every trial, with nothing left to search; none means that policies are searched",
    )
    ops: Annotated[
        tuple[OperationName, ...],
        AfterValidator(one_or_more),
        BeforeValidator(_all_operations),
    ] = Field(
        default=OPERATION_NAMES,
        description="operations that a policy may use, each searched as on or off; the word all means every one",
    )
    max_ops: int = Field(
        default=2, ge=1, le=8, description="most operations applied to one image; the search tries 1 up to this"
    )
    magnitude: Annotated[Range, AfterValidator(lambda magnitude: magnitude.within(0.0, 1.0))] = Field(
        default=Range(low=0.0, high=1.0),
        description="strength of each operation, searched in this range: 0 changes nothing, 1 is the strongest",
    )
    copies: CopyCounts = Field(
        default=(0,),
        description="augmented copies of each image made before training; 0 means a new augmentation in every batch",
    )

    @model_validator(mode="after")
    def _fixed_or_searched(self) -> "AugmentationSpec":
        if self.fixed is not None and self != AugmentationSpec.model_construct(fixed=self.fixed):
            raise ValueError("a fixed policy is not searched: leave out ops, max_ops, magnitude and copies beside it")
        return self


class SpaceSpec(SpecPart):
    """What the search may choose from. A list is a choice, a range is drawn from, and a single value is fixed."""

    architecture: ArchitectureChoice = Field(
        default="blocks-small",
        description="the networks to choose from: a preset's name, a space written out, or a list of these;"
        " pretrained networks have their own defaults for image_size, learning_rate, optimizer, budget.epochs and"
        " enqueue",
    )
    image_size: Sides = Field(default=(64,), description="side of the square input image, in pixels")
    epochs: EpochCounts | None = Field(
        default=None, description="training epochs of a trial; none means what the budget says"
    )
    batch_size: BatchSizes = Field(default=(64,), description="images per training step")
    learning_rate: Annotated[Range, AfterValidator(lambda rate: rate.within(1e-6, 10.0))] = Field(
        default=Range(low=0.01, high=0.3, log=True),
        description="the schedule's highest learning rate, for SGD; other optimizers scale it down by a fixed factor",
    )
    optimizer: Annotated[tuple[OptimizerName, ...], *choices_of(OptimizerName)] = Field(
        default=("sgd",), description="sgd has Nesterov momentum; muon orthogonalizes the updates of weight matrices"
    )
    schedule: Annotated[tuple[ScheduleName, ...], *choices_of(ScheduleName)] = Field(
        default=("one-cycle",), description="how the learning rate changes during a training"
    )
    loss: Annotated[tuple[LossName, ...], *choices_of(LossName)] = Field(
        default=("cross-entropy",), description="training loss; focal and class-balanced help with unequal classes"
    )
    label_smoothing: Annotated[Range, AfterValidator(lambda fraction: fraction.within(0.0, 0.9))] = Field(
        default=Range(low=0.1, high=0.1),
        description="fraction of each label spread evenly over all classes; 0 means none",
    )
    weight_decay: Annotated[Range, AfterValidator(lambda decay: decay.within(0.0, 1.0))] = Field(
        default=Range(low=5e-4, high=5e-4), description="weight decay of the optimizer; 0 means none"
    )
    ema_decay: EmaDecays = Field(
        default=(0.0,),
        description="decay per step of the moving average of the weights, which is then the model; 0 means no average",
    )
    layer_decay: Fractions = Field(
        default=(1.0,),
        description="for pretrained networks of timm: factor of the learning rate from each line of the network to the"
        " line before it; 1 trains all lines alike, 0 trains the classifier only",
    )
    distillation_weight: Fractions = Field(
        default=(0.0,),
        description="the teacher's share of each image's target, the label has the rest; it is 0 while the study has no"
        " teacher yet; studies of pretrained networks try 0, 0.5 and 0.9 by default",
    )
    distillation_temperature: Annotated[Range, AfterValidator(lambda value: value.within(0.1, 100.0))] = Field(
        default=Range(low=2.0, high=2.0),
        description="divides the teacher's logits before they become shares; above 1 evens them out",
    )
    augmentation: AugmentationSpec | None = Field(
        default=None, description="augmentation policies to search; none means horizontal flips only"
    )

    @property
    def has_teacher_weight(self) -> bool:
        """Whether a teacher could have a share of a trial's targets."""
        return self.distillation_weight != (0.0,)

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_architecture(cls, value: object) -> object:
        if isinstance(value, Mapping) and pretrained_families(value.get("architecture")):
            return {**PRETRAINED_DEFAULTS, **value}
        return value

    @model_validator(mode="after")
    def _lines_that_start_from_weights(self) -> "SpaceSpec":
        if self.layer_decay != (1.0,) and not any(
            may_be_pretrained(space) for space in families(self.architecture).values()
        ):
            raise ValueError(
                "layer_decay is for pretrained networks of timm, and this architecture has none: leave it out"
            )
        return self

    @model_validator(mode="after")
    def _different_parameters(self) -> "SpaceSpec":
        spaces = families(self.architecture)
        taken = {name for space in spaces.values() for name in space.names} & set(type(self).model_fields)
        if taken and len(spaces) == 1:
            raise ValueError(
                f"rename what the architecture calls {', '.join(sorted(taken))}: the space has that itself"
            )
        return self
