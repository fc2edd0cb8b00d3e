"""Workers that die or hang under a study's driver, on a real Ray: whose fault it is, and who pays for it."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import tune
from sqlalchemy import Engine

from search.contract.reports import CompletedTrial, Measurement, TrialReport
from search.contract.states import StudyState, TrialState
from search.tune.codec import encode_report
from services.jobs.deadline import Patience
from services.jobs.recorder import MAX_RUNS_AGAIN
from services.jobs.search_job import run
from services.records.trials import Trial
from services.settings import Settings
from services.store import studies, trials
from tests.integration.records import METRICS, make_study
from workers.actors.hosts import NAMESPACE, RESOURCE
from workers.actors.trial import TrialTask

_COMPLETED = encode_report(
    TrialReport(
        epoch=None,
        measurement=Measurement(metrics=METRICS),
        result=CompletedTrial(measurement=Measurement(metrics=METRICS)),
    )
)


class Faulty(tune.Trainable):  # type: ignore[misc]
    """Completes a trial after the first ``times`` steps of all workers have gone wrong."""

    times = 1

    def setup(self, config: dict[str, object], task: TrialTask) -> None:
        self._counted = task.cache_dir / "steps"

    def reset_config(self, new_config: dict[str, object]) -> bool:
        return True

    def step(self) -> dict[str, object]:
        self._counted.parent.mkdir(parents=True, exist_ok=True)
        with self._counted.open("a") as file:
            file.write(".")
        if self._counted.stat().st_size <= self.times:
            self.go_wrong()
        return dict(_COMPLETED)

    def go_wrong(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class AlwaysKilled(Faulty):
    times = MAX_RUNS_AGAIN + 1


class WaitsForADeadActor(Faulty):
    def go_wrong(self) -> None:
        actor = ray.remote(Mortal).options(num_cpus=0).remote()
        ray.get(actor.die.remote())


class Mortal:
    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Raises(Faulty):
    def go_wrong(self) -> None:
        raise ValueError("a mistake of its own")


class Frozen(Faulty):
    def go_wrong(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


@pytest.fixture(scope="module")
def one_cpu() -> Iterator[None]:
    offered = {"num_cpus": 1, "num_gpus": 0, "resources": {RESOURCE: 1}}
    ray.init("local", namespace=NAMESPACE, **offered, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


def searched(engine: Engine, url: str, home: Path, trainable: type[tune.Trainable], **how: Any) -> Sequence[Trial]:
    """The trials of a study with a budget of two, which is completed."""
    study_id = make_study(
        engine,
        StudyState.QUEUED,
        dataset={"source": "sklearn", "test_fraction": 0},
        budget={"max_trials": 2},
        resources={"concurrency": 1},
        compression={"max_candidates": 0},
    )
    run(study_id, Settings(database_url=url, home=home), trainable=trainable, **how)
    with engine.connect() as connection:
        assert studies.get(connection, study_id).state is StudyState.COMPLETED
        return trials.list_by_study(connection, study_id, frozenset(TrialState))


@pytest.mark.usefixtures("one_cpu")
@pytest.mark.parametrize("trainable", [Faulty, WaitsForADeadActor])
def test_a_trial_whose_worker_was_killed_is_run_again_and_costs_no_budget(
    engine: Engine, database_url: str, tmp_path: Path, trainable: type[Faulty]
) -> None:
    lost, again, other = searched(engine, database_url, tmp_path, trainable)
    assert [trial.state for trial in (lost, again, other)] == [TrialState.CANCELLED, *[TrialState.COMPLETED] * 2]
    assert (lost.reason or "").startswith("its worker was lost: it is run again (1 of 3 times at most)")
    assert lost.assignment == again.assignment
    assert [trial.workers_lost for trial in (lost, again, other)] == [0, 1, 0]


@pytest.mark.usefixtures("one_cpu")
def test_a_trial_that_loses_every_worker_is_failed_as_poisoned(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    *lost, poisoned, other = searched(engine, database_url, tmp_path, AlwaysKilled)
    assert [trial.state for trial in lost] == [TrialState.CANCELLED] * MAX_RUNS_AGAIN
    assert (poisoned.state, other.state) == (TrialState.FAILED, TrialState.COMPLETED)
    assert (poisoned.reason or "").startswith("poisoned: its worker was lost 4 times")
    assert {str(trial.assignment) for trial in lost} == {str(poisoned.assignment)}


@pytest.mark.usefixtures("one_cpu")
def test_a_trial_that_raises_an_error_is_failed_at_once(engine: Engine, database_url: str, tmp_path: Path) -> None:
    failed, other = searched(engine, database_url, tmp_path, Raises)
    assert (failed.state, other.state) == (TrialState.FAILED, TrialState.COMPLETED)
    assert "a mistake of its own" in (failed.reason or "")


@pytest.mark.usefixtures("one_cpu")
def test_a_trial_that_hangs_is_ended_by_its_deadline(engine: Engine, database_url: str, tmp_path: Path) -> None:
    patience = Patience(least_s=5.0, unknown_s=5.0)
    hung, other = searched(engine, database_url, tmp_path, Frozen, patience=patience)
    assert (hung.state, other.state) == (TrialState.FAILED, TrialState.COMPLETED)
    assert (hung.reason or "").startswith("it hung: it reported nothing for 5")
