"""Recorded trials that have ended, as whoever reads the record sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.contract.epochs import CurvePoint
from search.contract.metrics import Metrics
from search.contract.states import TrialState

ParameterValue = bool | int | float | str | None
#: The value of each parameter that was chosen for a trial, by the parameter's name.
Assignment = Mapping[str, ParameterValue]


@dataclass(frozen=True, kw_only=True)
class PastTrial:
    """A recorded trial that has ended: its choices, its metrics, what each epoch showed, and its duration."""

    number: int
    state: TrialState
    assignment: Assignment
    metrics: Metrics
    curve: Sequence[CurvePoint] = ()
    seconds: float = 0.0
