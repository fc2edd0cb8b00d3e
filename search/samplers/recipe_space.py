"""The recipes that a search may draw: how a network gets smaller, how it is trained, and how its file is quantized.

``draw`` asks a Chooser, so that one function serves Optuna, a replay of recorded choices, and tests; ``choices_of`` is
its inverse. What does not matter to a recipe is not asked for.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar, cast

from search.contract.recipes import (
    Distillation,
    FineTuning,
    LowRank,
    MixedInt8,
    QuantizationAwareTraining,
    Recipe,
    StaticInt8,
    Step,
    StructuredPruning,
    UnstructuredPruning,
)
from search.contract.trials import Assignment, ParameterValue
from search.spaces.chooser import C, Chooser

V = TypeVar("V", bound=ParameterValue)

_FILES: dict[str, type[StaticInt8 | MixedInt8] | None] = {
    "float32": None,
    "static-int8": StaticInt8,
    "mixed-int8": MixedInt8,
}
_LAYER_TYPES = ("conv", "pointwise", "depthwise", "linear")
_AWARE = QuantizationAwareTraining(epochs=5)


def draw(chooser: Chooser, name: str) -> Recipe:
    """One recipe of the space, under ``name``."""
    changes = _changes(chooser)
    # What was changed is always trained.
    trained = bool(changes) or chooser.suggest_categorical("trained", (False, True))
    training = [_training(chooser)] if trained else []
    return Recipe(name=name, steps=(*changes, *training, *_file(chooser)))


def _changes(chooser: Chooser) -> list[Step]:
    """What makes the network smaller. Zeroing weights comes last: structured pruning cannot follow it."""
    changes = [*_structured(chooser), *_low_rank(chooser)]
    if len(changes) == 2 and chooser.suggest_categorical("low_rank_first", (False, True)):
        changes.reverse()
    return [*changes, *_unstructured(chooser)]


def _structured(chooser: Chooser) -> list[Step]:
    """A ratio of 0 is one of many: channels are what makes a network fast, so most recipes take some."""
    ratio = _fraction(chooser, "ratio", 0.0, 0.7)
    if not ratio:
        return []
    importance = chooser.suggest_categorical("importance", ("magnitude", "batchnorm", "taylor"))
    scope = chooser.suggest_categorical("scope", ("group", "global"))
    return [StructuredPruning(ratio=ratio, importance=importance, scope=scope)]


def _low_rank(chooser: Chooser) -> list[Step]:
    if not chooser.suggest_categorical("low_rank", (False, True)):
        return []
    return [LowRank(energy=_fraction(chooser, "energy", 0.5, 0.95))]


def _unstructured(chooser: Chooser) -> list[Step]:
    if not chooser.suggest_categorical("zeroed", (False, True)):
        return []
    return [UnstructuredPruning(**{kind: _fraction(chooser, kind, 0.0, 0.8) for kind in _LAYER_TYPES})]


def _fraction(chooser: Chooser, name: str, low: float, high: float) -> float:
    """A fraction in steps of 5%, so that recipes begin alike more often: a common beginning is trained once."""
    return round(chooser.suggest_float(name, low, high, step=0.05), 2)


def _training(chooser: Chooser) -> Step:
    kind = Distillation if chooser.suggest_categorical("taught", (False, True)) else FineTuning
    return kind(
        epochs=chooser.suggest_int("epochs", 10, 20, step=5),
        learning_rate_fraction=round(chooser.suggest_float("learning_rate_fraction", 0.1, 0.9, step=0.2), 2),
    )


def _file(chooser: Chooser) -> list[Step]:
    kind = _FILES[chooser.suggest_categorical("file", tuple(_FILES))]
    if kind is None:
        return []
    aware = [_AWARE] if chooser.suggest_categorical("aware", (False, True)) else []
    calibration = chooser.suggest_categorical("calibration", ("minmax", "percentile", "entropy"))
    return [*aware, kind(calibration=calibration)]


def choices_of(recipe: Recipe) -> Assignment | None:
    """The choices by which ``draw`` makes these steps; None if the space does not hold them."""
    recorded = _Recorded(recipe.steps)
    try:
        drawn = draw(recorded, recipe.name)
    except (LookupError, ValueError):
        return None
    return recorded.choices if drawn == recipe else None


class _Recorded:
    """A Chooser that answers with what the steps say, and keeps the answers. LookupError where they say nothing fit."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._values = dict(_values_of(steps))
        self.choices: dict[str, ParameterValue] = {}

    def suggest_categorical(self, name: str, choices: Sequence[C]) -> C:
        value = self._values[name]
        return cast(C, self._answer(name, value, within=value in choices))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        value = self._number(name)
        return int(self._answer(name, value, within=value in range(low, high + 1, step)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        value = self._number(name)
        steps = (value - low) / (step or 1.0)
        return float(self._answer(name, value, within=low <= value <= high and abs(steps - round(steps)) < 1e-6))

    def _number(self, name: str) -> int | float:
        value = self._values[name]
        if not isinstance(value, int | float):
            raise LookupError(name)
        return value

    def _answer(self, name: str, value: V, *, within: bool) -> V:
        if not within:
            raise LookupError(name)
        self.choices[name] = value
        return value


def _values_of(steps: tuple[Step, ...]) -> Iterator[tuple[str, ParameterValue]]:
    """The choices that the steps tell, by parameter."""
    kinds = [type(step) for step in steps]
    yield "ratio", 0.0
    yield "low_rank", LowRank in kinds
    yield "low_rank_first", {LowRank, StructuredPruning} <= set(kinds) and kinds[0] is LowRank
    yield "zeroed", UnstructuredPruning in kinds
    trainings = [step for step in steps if isinstance(step, FineTuning | Distillation)]
    yield "trained", bool(trainings)
    yield "taught", any(isinstance(step, Distillation) for step in trainings)
    yield "aware", _AWARE in steps
    yield "file", next((kind for kind, config in _FILES.items() if config in kinds[-1:]), "float32")
    for step in steps:
        if step != _AWARE:
            yield from step.model_dump(exclude={"technique"}).items()
