"""The recipes that a search may draw: how a network gets smaller, how it is trained, and how its file is quantized.

``draw`` asks a Chooser, so that one function serves Optuna, a replay of recorded choices, and tests; ``choices_of`` is
its inverse. What does not matter to a recipe is not asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

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
from search.spaces.chooser import C, Chooser

Choices = Mapping[str, Any]

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
    ratio = _share(chooser, "ratio", 0.0, 0.7)
    if not ratio:
        return []
    importance = chooser.suggest_categorical("importance", ("magnitude", "batchnorm", "taylor"))
    scope = chooser.suggest_categorical("scope", ("group", "global"))
    return [StructuredPruning(ratio=ratio, importance=importance, scope=scope)]


def _low_rank(chooser: Chooser) -> list[Step]:
    if not chooser.suggest_categorical("low_rank", (False, True)):
        return []
    return [LowRank(energy=_share(chooser, "energy", 0.5, 0.95))]


def _unstructured(chooser: Chooser) -> list[Step]:
    if not chooser.suggest_categorical("zeroed", (False, True)):
        return []
    return [UnstructuredPruning(**{kind: _share(chooser, kind, 0.0, 0.8) for kind in _LAYER_TYPES})]


def _share(chooser: Chooser, name: str, low: float, high: float) -> float:
    """In steps of 5%: recipes shall have beginnings in common, which are trained once."""
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


def choices_of(recipe: Recipe) -> Choices | None:
    """The choices by which ``draw`` makes these steps; None if the space does not hold them."""
    recorded = _Recorded(recipe.steps)
    try:
        drawn = draw(recorded, recipe.name)
    except (LookupError, ValueError):
        return None
    return recorded.choices if drawn == recipe else None


class _Recorded:
    """A Chooser that answers as steps say, and notes what it was asked. LookupError where they do not say."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._said: dict[str, Any] = dict(_told(steps))
        self.choices: dict[str, Any] = {}

    def suggest_categorical(self, name: str, choices: Sequence[C]) -> C:
        return cast(C, self._note(name, within=self._said[name] in choices))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self._note(name, within=self._said[name] in range(low, high + 1, step)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        steps = (self._said[name] - low) / (step or 1.0)
        return float(self._note(name, within=low <= self._said[name] <= high and abs(steps - round(steps)) < 1e-6))

    def _note(self, name: str, *, within: bool) -> Any:
        if not within:
            raise LookupError(name)
        self.choices[name] = self._said[name]
        return self._said[name]


def _told(steps: tuple[Step, ...]) -> Iterator[tuple[str, Any]]:
    """What the steps say of the choices."""
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
