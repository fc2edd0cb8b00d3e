"""Every sampler that a study may name is registered, and suggests."""

import optuna
import pytest

from search.samplers.frontier import Description
from search.samplers.named import SAMPLERS, SamplerInputs, SamplerName
from search.spaces.chooser import Chooser


def describe(chooser: Chooser) -> Description:
    chooser.suggest_float("x", 0.0, 1.0)
    return Description()


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_that_a_study_may_name_suggests_a_value_in_its_range(name: SamplerName) -> None:
    sampler = SAMPLERS[name](SamplerInputs(seed=0, describe=describe, time_is_short=lambda: False))
    study = optuna.create_study(sampler=sampler)
    assert 0.0 <= study.ask().suggest_float("x", 0.0, 1.0) <= 1.0
