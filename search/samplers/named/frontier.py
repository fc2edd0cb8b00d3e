"""Seedleaf's own sampler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.samplers.named.registry import SAMPLERS, SamplerInputs

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@SAMPLERS.register("frontier")
def make_frontier(inputs: SamplerInputs) -> BaseSampler:
    from search.samplers.frontier import FrontierSampler

    return FrontierSampler(
        describe=inputs.describe,
        transfer=inputs.transfer,
        absent=inputs.absent,
        time_is_short=inputs.time_is_short,
        seconds_left=inputs.seconds_left,
        seed=inputs.seed,
    )
