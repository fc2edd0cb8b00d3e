"""The driver of a study on a real Ray."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import tune
from sqlalchemy import Engine

from search.contract.reports import CompletedTrial, Measurement, TrialReport
from search.contract.states import StudyState, TrialState
from search.tune.codec import decode_suggestion, encode_report
from services.jobs.search_job import run
from services.settings import Settings
from services.store import studies, trials
from tests.integration.records import METRICS, make_study
from workers.actors.hosts import NAMESPACE, RESOURCE
from workers.actors.trial import TrialTask
from workers.training.errors import DeviceMemoryError


class NeedsTheWholeGpu(tune.Trainable):  # type: ignore[misc]
    """Finds the memory full unless nothing else is on its GPU."""

    def setup(self, config: dict[str, object], task: TrialTask) -> None:
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, object]) -> bool:
        self._whole_gpu = decode_suggestion(new_config).whole_gpu
        return True

    def step(self) -> dict[str, object]:
        if not self._whole_gpu:
            raise DeviceMemoryError("the device's memory is full")
        gpus = ray.get_runtime_context().get_assigned_resources()["GPU"]
        measurement = Measurement(metrics=METRICS, host=f"{gpus:g} GPU")
        result = CompletedTrial(measurement=measurement)
        return encode_report(TrialReport(epoch=None, measurement=measurement, result=result))


@pytest.fixture(scope="module")
def two_slots_on_a_gpu() -> Iterator[None]:
    """A Ray of its own that says it has a GPU: what is tested is who gets it, not what it computes."""
    offered = {"num_cpus": 2, "num_gpus": 1, "resources": {RESOURCE: 1}}
    ray.init("local", namespace=NAMESPACE, **offered, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("two_slots_on_a_gpu")
def test_a_trial_without_memory_is_run_again_alone(engine: Engine, database_url: str, tmp_path: Path) -> None:
    resources = {"concurrency": 2, "cpus_per_trial": 1, "gpus_per_trial": 0.5}
    study_id = make_study(
        engine,
        StudyState.QUEUED,
        dataset={"source": "sklearn", "test_fraction": 0},
        budget={"max_trials": 2},
        resources=resources,
        compression={"max_candidates": 0},
    )
    run(study_id, Settings(database_url=database_url, home=tmp_path), trainable=NeedsTheWholeGpu)
    with engine.connect() as connection:
        ended = trials.list_by_study(connection, study_id, frozenset(TrialState))
        assert studies.get(connection, study_id).state is StudyState.COMPLETED
    cut_off = [trial for trial in ended if trial.state is TrialState.CANCELLED]
    completed = [trial for trial in ended if trial.state is TrialState.COMPLETED]
    assert len(completed) == len(cut_off) == 2
    assert {trial.host for trial in completed} == {"1 GPU"}
    assert all("DeviceMemoryError: the device's memory is full" in (trial.reason or "") for trial in cut_off)
    again = {str(trial.assignment) for trial in completed}
    assert again == {str(trial.assignment) for trial in cut_off}


@pytest.mark.usefixtures("two_slots_on_a_gpu")
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"node": "jetson"}, "no node of the Ray cluster offers the target (onnxruntime, 1 thread, node jetson)"),
        ({"threads": 256}, "ask for fewer threads"),
    ],
)
def test_a_study_whose_target_cannot_be_timed_fails_and_says_so(
    engine: Engine, database_url: str, tmp_path: Path, target: dict[str, Any], reason: str
) -> None:
    study_id = make_study(engine, StudyState.QUEUED, target=target)
    run(study_id, Settings(database_url=database_url, home=tmp_path), trainable=NeedsTheWholeGpu, patience_s=0)
    with engine.connect() as connection:
        study = studies.get(connection, study_id)
    assert study.state is StudyState.FAILED
    assert reason in (study.reason or "")
