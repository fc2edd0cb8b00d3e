"""What a study gives its sampler, and the samplers by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from search.registry import Registry

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from search.contract.trials import Assignment
    from search.samplers.frontier import Describe, TransferData


@dataclass(frozen=True, kw_only=True)
class SamplerInputs:
    """What a study gives its sampler. Only ``frontier`` uses more than the seed.

    ``absent`` has the values that a recorded trial was run with where it lacks their parameters.
    """

    seed: int
    describe: Describe
    transfer: Sequence[TransferData] = ()
    absent: Assignment = field(default_factory=dict)
    time_is_short: Callable[[], bool]
    seconds_left: Callable[[], float | None] = lambda: None


SAMPLERS: Registry[Callable[[SamplerInputs], BaseSampler]] = Registry(
    "sampler", order=("frontier", "tpe", "nsga2", "gp", "random")
)
