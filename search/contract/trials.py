"""Recorded trials that have ended, as whoever reads the record sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from search.contract.epochs import CurvePoint
from search.contract.metrics import Metrics
from search.contract.states import TrialState

ParameterValue = bool | int | float | str | None
#: The value of each parameter that was chosen for a trial, by the parameter's name.
Assignment = Mapping[str, ParameterValue]


class TrialRole(StrEnum):
    """What a trial of pretrained networks is for, where the sampler did not propose it."""

    PROBE = "probe"
    """The whole network with frozen features and a linear classifier."""
    PLAIN = "plain"
    """The whole network at the largest side, fine-tuned: what one would do by hand."""


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Trials whose learning curves can be compared: of one family, as one that starts from trained weights tells more
    at the same epoch than one that does not, and with as many epochs. ``family`` is None where the study has one.
    """

    epochs: int
    family: str | None = None


@dataclass(frozen=True, kw_only=True)
class PastTrial:
    """A recorded trial that has ended: its choices, its metrics, what each epoch showed, and its duration.

    ``role`` is None for a trial that the sampler proposed or a user asked for.
    """

    number: int
    state: TrialState
    assignment: Assignment
    metrics: Metrics
    curve: Sequence[CurvePoint] = ()
    seconds: float = 0.0
    role: TrialRole | None = None

    @property
    def is_point(self) -> bool:
        """Whether a sampler may learn from its choices: a probe is not trained as the space says."""
        return self.role is not TrialRole.PROBE
