"""Optuna's samplers: https://optuna.readthedocs.io/en/stable/reference/samplers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from search.samplers.named.registry import SAMPLERS, SamplerInputs

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@SAMPLERS.register("tpe")
def make_tpe(inputs: SamplerInputs) -> BaseSampler:
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import TPESampler

    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        return TPESampler(seed=inputs.seed, multivariate=True, group=True, constant_liar=True)


@SAMPLERS.register("nsga2")
def make_nsga2(inputs: SamplerInputs) -> BaseSampler:
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(seed=inputs.seed, population_size=20)


@SAMPLERS.register("gp")
def make_gp(inputs: SamplerInputs) -> BaseSampler:
    from optuna.samplers import GPSampler

    return GPSampler(seed=inputs.seed, warn_independent_sampling=False)


@SAMPLERS.register("random")
def make_random(inputs: SamplerInputs) -> BaseSampler:
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=inputs.seed)
