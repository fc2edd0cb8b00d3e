"""Points that a study tries first: choices by parameter, checked against its space when it is posted."""

import math
from collections.abc import Sequence

from search.contract.candidate import Candidate
from search.contract.trials import Assignment, ParameterValue
from search.spaces.chooser import C
from search.study.draw import draw
from search.study.space_spec import SpaceSpec


class PointError(ValueError):
    """A point that the space does not hold; the message says why."""


def checked_point(space: SpaceSpec, choices: Assignment) -> dict[str, ParameterValue]:
    """The choices as the space writes them. PointError if it has no such choice.

    What is left out is chosen by the sampler. A parameter that depends on another one comes with it.
    """
    chooser = GivenChoices(choices)
    draw(space, chooser, classes=2, taught=True)
    if unasked := sorted(choices.keys() - chooser.asked.keys()):
        names = ", ".join(chooser.names)
        raise PointError(
            f"{', '.join(unasked)}: no parameter beside the other choices of this point; there are {names}"
        )
    return chooser.asked


def candidate_at(space: SpaceSpec, choices: Assignment, *, classes: int) -> Candidate:
    """The candidate with these choices, and with the first or the least value of every other parameter.

    PointError if the space has no such choice.
    """
    return draw(space, GivenChoices(choices), classes=classes)


class GivenChoices:
    """A Chooser that takes the given choices, and the first one where none is given.

    PointError for a given choice that there is not.
    """

    def __init__(self, given: Assignment) -> None:
        self._given = given
        self.asked: dict[str, ParameterValue] = {}
        self.names: list[str] = []

    def suggest_categorical(self, name: str, choices: Sequence[C]) -> C:
        self.names.append(name)
        if name not in self._given:
            return choices[0]
        given = self._given[name]
        same = [choice for choice in choices if choice == given and isinstance(choice, bool) == isinstance(given, bool)]
        if not same:
            raise PointError(f"{name} is one of {', '.join(map(str, choices))}, got {given!r}")
        self.asked[name] = same[0]
        return same[0]

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self._number(name, low, high, step, int))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return self._number(name, low, high, step, float)

    def _number(self, name: str, low: float, high: float, step: float | None, kind: type[int] | type[float]) -> float:
        self.names.append(name)
        if name not in self._given:
            return low
        given = self._given[name]
        if isinstance(given, bool) or not isinstance(given, int | float) or not _in_range(given, low, high, step):
            steps = "" if step is None else f" in steps of {step:g}"
            raise PointError(f"{name} lies between {low:g} and {high:g}{steps}, got {given!r}")
        number = kind(given)
        self.asked[name] = number
        return number


def _in_range(number: float, low: float, high: float, step: float | None) -> bool:
    if not low <= number <= high:
        return False
    steps = (number - low) / (step or 1.0)
    return step is None or math.isclose(steps, round(steps), abs_tol=1e-6)
