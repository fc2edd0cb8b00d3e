"""How many trials share a GPU, by what one needs."""

import pytest

from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec
from workers.actors.resource_sizing import TrialDemand, _typical, resources_for
from workers.models import profile


@pytest.mark.parametrize(
    ("memory_fraction", "busy_fraction", "cores", "gpus", "on_each"),
    [
        (0.01, 0.9, 16, 1, 1),
        (0.01, 0.55, 16, 1, 2),
        (0.01, 0.2, 16, 1, 5),
        (0.3, 0.2, 16, 1, 3),
        (0.5, 0.2, 16, 1, 1),
        (0.01, 0.1, 8, 4, 2),
        (1.0, 1.0, 2, 4, 1),
    ],
)
def test_as_many_trials_as_memory_time_and_cores_allow(
    memory_fraction: float, busy_fraction: float, cores: int, gpus: int, on_each: int
) -> None:
    resources = resources_for(
        TrialDemand(memory_fraction=memory_fraction, busy_fraction=busy_fraction), cores=cores, gpus=gpus
    )
    assert resources.concurrency == on_each * gpus
    assert resources.gpus_per_trial == pytest.approx(1 / on_each, abs=1e-4)
    assert resources.gpus_per_trial * on_each <= 1


def test_what_is_measured_is_the_largest_and_a_usual_candidate_that_limits_allow() -> None:
    spec = StudySpec.model_validate(
        {
            "name": "a",
            "dataset": {"source": "sklearn"},
            "space": {"batch_size": [32, 64]},
            "constraints": [{"metric": "macs", "max": 5e6}],
        }
    )
    largest, usual = _typical(spec, classes=10)
    assert largest.batch_size == 64
    assert profile(usual).macs <= profile(largest).macs <= 5e6
    assert {largest.learning_rate, usual.learning_rate} == {spec.space.learning_rate.low}


def test_auto_is_a_word_in_place_of_all_that_it_chooses() -> None:
    study = StudySpec.model_validate({"name": "a", "dataset": {"source": "sklearn"}, "resources": "auto"})
    assert study.resources == ResourcesSpec(auto=True)
    assert StudySpec.model_validate(study.model_dump(mode="json")) == study
    with pytest.raises(ValueError, match="auto chooses concurrency, cpus_per_trial and gpus_per_trial: leave them out"):
        ResourcesSpec(auto=True, concurrency=3)
