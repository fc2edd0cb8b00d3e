"""Work whose files have no room waits with the reason, at no cost to budget and retries, and goes on by itself."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray import tune
from sqlalchemy import Connection, Engine, select, text

from search.contract.recipes import default_recipe
from search.contract.reports import CompletedTrial, Measurement, TrialReport
from search.contract.states import JobState, StudyState, TrialState
from search.files import UnwritableError, replace_file, writing_to
from search.tune.codec import encode_report
from services.control.room import has_room
from services.jobs.compression_pool import Pool
from services.jobs.recorder import Recorder
from services.jobs.search_job import run
from services.jobs.test_scoring_job import ScoringJob
from services.jobs.training_job import TrainingJob
from services.records.studies import Study
from services.settings import Settings
from services.storage.artifacts import ArtifactStore
from services.store import jobs, scorings, storage_faults, studies, trainings, trials
from services.store.tables import storage_faults as fault_rows
from services.studies import commands
from tests.integration.records import METRICS, make_study, make_trial, read_dataset
from tests.integration.test_scoring_job import scorable_study
from tests.server import wait_for
from tests.small_disk import small_disk
from workers.actors.compressors import NotStored
from workers.actors.hosts import NAMESPACE, RESOURCE
from workers.actors.trial import TrialTask

FULL = "No space left on device"
MEASUREMENT = Measurement(metrics=METRICS, host="a host")


class Completes(tune.Trainable):  # type: ignore[misc]
    """Ends at once, with a file for the artifact store."""

    def setup(self, config: dict[str, object], task: TrialTask) -> None:
        self._task = task

    def reset_config(self, new_config: dict[str, object]) -> bool:
        return True

    def step(self) -> dict[str, object]:
        result = CompletedTrial(measurement=MEASUREMENT, files={"weights": bytes(2**18)})
        return encode_report(TrialReport(epoch=None, measurement=MEASUREMENT, result=result))


class Decodes(Completes):
    """Writes to the cache of its node before it ends."""

    def step(self) -> dict[str, object]:
        folder = self._task.cache_dir / "trials"
        with writing_to(folder):
            replace_file(folder / "images", bytes(2**20))
        return super().step()


@pytest.fixture(scope="module")
def two_cores() -> Iterator[None]:
    offered = {"num_cpus": 2, "resources": {RESOURCE: 1}}
    ray.init("local", namespace=NAMESPACE, **offered, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, home=tmp_path / "home")


def queued_study(engine: Engine) -> str:
    return make_study(
        engine,
        StudyState.QUEUED,
        dataset={"source": "sklearn", "test_fraction": 0},
        budget={"max_trials": 3},
        resources={"concurrency": 2},
        compression={"max_candidates": 0},
    )


def submit_and_run(engine: Engine, config: Settings, study_id: str, trainable: type[Completes]) -> Study:
    """As the controller and Ray would."""
    with engine.begin() as connection:
        studies.count_submission(connection, study_id)
    run(study_id, config, trainable=trainable)
    with engine.connect() as connection:
        return studies.get(connection, study_id)


def submissions(connection: Connection, study_id: str) -> int:
    query = text("SELECT submissions FROM seedleaf.studies WHERE id = :id")
    return int(connection.execute(query, {"id": study_id}).scalar_one())


def wait_for_room(engine: Engine) -> None:
    wait_for(lambda: has_room(engine), timeout_s=30, what="the place to be tried again")


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize(("place", "trainable"), [("artifacts", Completes), ("cache/trials", Decodes)])
def test_a_search_whose_disk_is_full_waits_and_then_completes_within_its_budget(
    engine: Engine, config: Settings, place: str, trainable: type[Completes]
) -> None:
    study_id = queued_study(engine)
    with small_disk(config.home / place) as disk:
        disk.fill()
        for _ in range(2):
            study = submit_and_run(engine, config, study_id, trainable)
            assert (study.state, study.reason or "") == (StudyState.QUEUED, study.reason)
            assert FULL in str(study.reason)
            assert str(disk.folder) in str(study.reason)
            with engine.connect() as connection:
                assert submissions(connection, study_id) == 0
                ended = trials.list_by_study(connection, study_id, frozenset(TrialState))
                assert {trial.state for trial in ended} == {TrialState.CANCELLED}
                assert all(FULL in str(trial.reason) for trial in ended)
                assert studies.get_with_progress(connection, study_id)[1].spent == 0
            assert not has_room(engine)
        disk.free()
        wait_for_room(engine)
        study = submit_and_run(engine, config, study_id, trainable)
        with engine.connect() as connection:
            ended = trials.list_by_study(connection, study_id, [TrialState.COMPLETED])
        assert (study.state, study.reason, len(ended)) == (StudyState.COMPLETED, None, 3)


@pytest.mark.usefixtures("two_cores")
def test_a_search_with_a_read_only_cache_waits_and_then_completes(engine: Engine, config: Settings) -> None:
    study_id = queued_study(engine)
    with small_disk(config.cache_dir, mebibytes=64) as disk:
        disk.make_read_only()
        study = submit_and_run(engine, config, study_id, Completes)
        assert (study.state, "Read-only file system" in str(study.reason)) == (StudyState.QUEUED, True)
        disk.make_read_only(read_only=False)
        wait_for_room(engine)
        assert submit_and_run(engine, config, study_id, Completes).state is StudyState.COMPLETED


def test_a_study_that_was_paused_meanwhile_stays_paused(engine: Engine, config: Settings) -> None:
    study_id = queued_study(engine)
    recorder = Recorder(engine, ArtifactStore(config.artifacts), study_id)
    try:
        commands.pause(engine, study_id)
        recorder.wait_for_room(UnwritableError("/cache", "elsewhere", errno.ENOSPC))
    finally:
        recorder.close()
    assert not has_room(engine)
    with engine.connect() as connection:
        assert studies.get(connection, study_id).state is StudyState.PAUSED


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("place", ["cache", "checkpoints", "artifacts"])
def test_a_full_training_whose_disk_is_full_waits_and_is_not_lost(engine: Engine, config: Settings, place: str) -> None:
    study_id = make_study(engine, StudyState.COMPLETED)
    read_dataset(engine, study_id, config.home / "another cache")
    training_id = commands.train(engine, make_trial(engine, study_id), epochs=1, seeds=1).id
    with small_disk(config.home / place) as disk:
        disk.fill()
        for attempt in range(1, 5):
            with engine.begin() as connection:
                trainings.record_submission(connection, training_id, attempt - 1, attempt)
            TrainingJob(engine, config, training_id).run()
            with engine.connect() as connection:
                training = trainings.get(connection, training_id)
                (task,) = trainings.to_run(connection)
            assert (training.state, task.attempts, task.lost) == (JobState.QUEUED, attempt, 0)
            assert FULL in str(training.reason)
        disk.free()
        with engine.begin() as connection:
            trainings.record_submission(connection, training_id, 4, 5)
        TrainingJob(engine, config, training_id).run()
    with engine.connect() as connection:
        assert trainings.get(connection, training_id).state is JobState.COMPLETED


@pytest.mark.usefixtures("two_cores")
def test_a_scoring_whose_disk_is_full_waits_and_is_not_lost(engine: Engine, config: Settings) -> None:
    study_id, _ = scorable_study(engine, config, source="sklearn")
    with engine.connect() as connection:
        (scoring,) = scorings.list_by_study(connection, study_id)
    with small_disk(config.cache_dir) as disk:
        disk.fill()
        for attempt in range(1, 5):
            with engine.begin() as connection:
                scorings.record_submission(connection, scoring.id, attempt - 1, attempt)
            ScoringJob(engine, config, scoring.id).run()
            with engine.connect() as connection:
                (task,) = scorings.to_run(connection)
                assert FULL in str(scorings.get(connection, scoring.id).reason)
            assert (task.state, task.attempts, task.lost) == (JobState.QUEUED, attempt, 0)


def test_a_compression_whose_disk_is_full_waits_and_its_attempt_does_not_count(
    engine: Engine, config: Settings
) -> None:
    commands.compress(engine, make_trial(engine, make_study(engine)), default_recipe("fp32"))
    pool = Pool(engine, config)
    for _ in range(4):
        with engine.begin() as connection:
            job = jobs.lease(connection, pool.token, lease_s=60)
        assert job is not None
        pool.end(job, NotStored(error=UnwritableError("/cache", "elsewhere", errno.ENOSPC)))
        with engine.connect() as connection:
            waiting = jobs.get(connection, job.id)
        assert (waiting.state, waiting.attempts) == (JobState.QUEUED, 0)
        assert FULL in str(waiting.reason)


def test_what_fails_again_soon_is_tried_more_slowly(engine: Engine) -> None:
    waits = []
    for _ in range(4):
        with engine.begin() as connection:
            storage_faults.add(connection, place="/cache", host="elsewhere", reason="full")
            storage_faults.add(connection, place="/cache", host="elsewhere", reason="full, as another job finds")
            wait = fault_rows.c.retry_at - text("now()")
            waits.append(round(connection.execute(select(wait)).scalar_one().total_seconds()))
            (fault,) = storage_faults.list_open(connection)
            assert (fault.reason, fault.due) == ("full, as another job finds", False)
            storage_faults.clear(connection, fault)
            assert storage_faults.list_open(connection) == []
    assert waits == [2, 4, 8, 16]
