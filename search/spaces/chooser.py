"""Chooser: whoever chooses the parameters while a candidate is drawn (an Optuna trial, a replay of recorded values)."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from search.contract.trials import ParameterValue

C = TypeVar("C", bound=ParameterValue)
#: The parameter that chooses among several families of points. The names of the parameters of a family begin with it
#: and a dot.
FAMILY = "family"


class Chooser(Protocol):
    """The suggest methods of ``optuna.trial.Trial``, by which a conditional space is defined by run."""

    def suggest_categorical(self, name: str, choices: Sequence[C]) -> C: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int: ...

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float: ...


def family_of(assignment: Mapping[str, object]) -> str | None:
    """The family that was chosen; None where there is one only."""
    family = assignment.get(FAMILY)
    return None if family is None else str(family)


def choose(chooser: Chooser, name: str, choices: Sequence[C]) -> C:
    """One of ``choices``; a single one is no parameter."""
    return choices[0] if len(choices) == 1 else chooser.suggest_categorical(name, choices)
