"""Samplers by name. To add one, add its name to ``SamplerName`` and its factory to ``_FACTORIES``.

A factory imports what it needs when it is called: the server checks names, and its image lacks SciPy.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from search.samplers.frontier import Describe, TransferData

SamplerName = Literal["frontier", "tpe", "nsga2", "gp", "random"]


@dataclass(frozen=True, kw_only=True)
class SamplerInputs:
    """What a study gives its sampler. Only ``frontier`` uses more than the seed."""

    seed: int
    describe: Describe
    transfer: Sequence[TransferData] = ()
    time_is_short: Callable[[], bool]


def make_sampler(name: SamplerName, inputs: SamplerInputs) -> BaseSampler:
    return _FACTORIES[name](inputs)


def _frontier(inputs: SamplerInputs) -> BaseSampler:
    from search.samplers.frontier import FrontierSampler

    return FrontierSampler(
        describe=inputs.describe, transfer=inputs.transfer, time_is_short=inputs.time_is_short, seed=inputs.seed
    )


def _tpe(inputs: SamplerInputs) -> BaseSampler:
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import TPESampler

    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        return TPESampler(seed=inputs.seed, multivariate=True, group=True, constant_liar=True)


def _nsga2(inputs: SamplerInputs) -> BaseSampler:
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(seed=inputs.seed, population_size=20)


def _gp(inputs: SamplerInputs) -> BaseSampler:
    from optuna.samplers import GPSampler

    return GPSampler(seed=inputs.seed, warn_independent_sampling=False)


def _random(inputs: SamplerInputs) -> BaseSampler:
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=inputs.seed)


_FACTORIES: Mapping[SamplerName, Callable[[SamplerInputs], BaseSampler]] = {
    "frontier": _frontier,
    "tpe": _tpe,
    "nsga2": _nsga2,
    "gp": _gp,
    "random": _random,
}
