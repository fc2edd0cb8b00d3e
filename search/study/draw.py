"""From a spec's space to a candidate: every parameter, its conditions, and the order in which it is drawn."""

from collections.abc import Container
from dataclasses import fields

from search.contract.augmentation import (
    BATCH_OPERATION_NAMES,
    FLIP_NAMES,
    FLIP_ONLY,
    WITHOUT_MAGNITUDE,
    Operation,
    OperationName,
    Policy,
)
from search.contract.candidate import Candidate
from search.contract.training_settings import TrainingSettings
from search.contract.trials import Assignment
from search.contract.values import Range
from search.spaces.chooser import Chooser, choose
from search.spaces.families import draw_network
from search.spaces.pretrained import is_pretrained
from search.study.space_spec import AugmentationSpec, SpaceSpec

#: The parameter that says how long a trial trains, where a space has choices for that.
EPOCHS = "epochs"
_WEIGHT, _TEMPERATURE = "distillation_weight", "distillation_temperature"
#: What a trial that lacks a parameter was run with.
WITHOUT_TEACHER: Assignment = {_WEIGHT: 0.0}


def draw(space: SpaceSpec, chooser: Chooser, *, classes: int, taught: bool = False) -> Candidate:
    """Draw one candidate for a data set of ``classes`` classes; a fixed value is no parameter.

    ``epochs`` is a parameter that a candidate does not hold: ``StudySpec.epochs_for`` reads it from the choices.
    ``taught``: there are a teacher's answers. Without them ``distillation_weight`` is no parameter and is 0.
    """
    side_px = choose(chooser, "image_size", space.image_size)
    architecture = draw_network(space.architecture, chooser, side_px=side_px, classes=classes)
    settings = _training_settings(chooser, space, pretrained=is_pretrained(architecture))
    settings |= _distillation(chooser, space) if taught else {}
    policy = _policy(chooser, space.augmentation)
    if space.epochs is not None:
        choose(chooser, EPOCHS, space.epochs)
    return Candidate.model_validate(
        {"architecture": architecture, "image_size": side_px, **settings, "augmentation": policy}
    )


def is_taught(assignment: Container[str]) -> bool:
    """Whether the choices of a trial were made when there were a teacher's answers, and a weight to choose."""
    return _WEIGHT in assignment


def _distillation(chooser: Chooser, space: SpaceSpec) -> dict[str, object]:
    """The weight is a parameter even where there is one choice: so the record tells a trial without a teacher."""
    if not space.has_teacher_weight:
        return {}
    weight = chooser.suggest_categorical(_WEIGHT, space.distillation_weight)
    if not weight:
        return {_WEIGHT: weight}
    return {_WEIGHT: weight, _TEMPERATURE: _real(chooser, _TEMPERATURE, space.distillation_temperature)}


def _training_settings(chooser: Chooser, space: SpaceSpec, *, pretrained: bool) -> dict[str, object]:
    """A value for each field of TrainingSettings but the distillation's, in their order: the space has a range or
    choices for each.
    """
    names = [field.name for field in fields(TrainingSettings) if field.name not in (_WEIGHT, _TEMPERATURE)]
    options = {name: getattr(space, name) for name in names}
    if not pretrained:
        options["layer_decay"] = (1.0,)
    return {
        name: _real(chooser, name, values) if isinstance(values, Range) else choose(chooser, name, values)
        for name, values in options.items()
    }


def _real(chooser: Chooser, name: str, values: Range) -> float:
    if values.low == values.high:
        return values.low
    return chooser.suggest_float(name, values.low, values.high, log=values.log)


def _policy(chooser: Chooser, spec: AugmentationSpec | None) -> Policy:
    if spec is None:
        return FLIP_ONLY
    if spec.fixed is not None:
        return spec.fixed
    operations = [
        _operation(chooser, name, spec.magnitude)
        for name in spec.ops
        if chooser.suggest_categorical(f"augmentation.{name}", (True, False))
    ]
    max_ops = 1 if spec.max_ops == 1 else chooser.suggest_int("augmentation.max_ops", 1, spec.max_ops)
    return Policy(
        operations=tuple(operations),
        max_ops=max_ops,
        copies=choose(chooser, "augmentation.copies", spec.copies),
    )


def _operation(chooser: Chooser, name: OperationName, magnitude: Range) -> Operation:
    probability = 0.5 if name in FLIP_NAMES + BATCH_OPERATION_NAMES else 1.0
    if name in WITHOUT_MAGNITUDE:
        return Operation(name=name, probability=probability)
    drawn = _real(chooser, f"augmentation.{name}.magnitude", magnitude)
    return Operation(name=name, probability=probability, magnitude=drawn)
