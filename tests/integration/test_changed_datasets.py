"""Images that change under a study: all its trials and jobs see the same ones, or it fails and says what changed."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from sqlalchemy import Engine

from search.contract.recipes import default_recipe
from search.contract.states import JobState, StudyState, TrialState
from services.errors import ConflictError
from services.jobs import compression_pool
from services.jobs.compression_pool import Pool
from services.jobs.search_job import run
from services.jobs.training_job import TrainingJob
from services.records.studies import Study
from services.records.trials import Trial
from services.settings import Settings
from services.storage.artifacts import ArtifactStore
from services.store import jobs, studies, trainings, trials, variants
from services.store.ids import new_id
from services.studies import commands, life_cycle
from tests.acceptance.studies import ARCHITECTURE
from tests.integration.records import CANDIDATE, make_study, make_trial, read_dataset
from tests.server import wait_for
from tests.unit.data_folders import write_classes
from workers.actors.compressors import RESOURCE as COMPRESSION
from workers.actors.hosts import NAMESPACE, RESOURCE
from workers.export import save_weights
from workers.models import build_network

DIGITS = [str(digit) for digit in range(10)]
MOVED = (
    "the images changed since the study began: 3 classes of 60 images then, 3 classes of 60 images now"
    " ('a': 20, now 15; 'b': 20, now 25); make a new study, or restore the images and extend this one"
)


@pytest.fixture(scope="module", autouse=True)
def two_cores() -> Iterator[None]:
    offered = {"num_cpus": 2, "resources": {RESOURCE: 1, COMPRESSION: 1}}
    ray.init("local", namespace=NAMESPACE, **offered, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, home=tmp_path / "home")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_classes(tmp_path / "images", {"a": 20, "b": 20, "c": 20})


def make(engine: Engine, root: Path, *, max_trials: int, **fields: Any) -> str:
    fields = {"resources": {"concurrency": 1}, "compression": {"max_candidates": 0}, **fields}
    return make_study(
        engine,
        StudyState.QUEUED,
        dataset={"source": "folder", "path": str(root), "test_fraction": 0},
        space={"image_size": [8, 16], "batch_size": 16, "architecture": ARCHITECTURE},
        budget={"max_trials": max_trials, "epochs": 1},
        **fields,
    )


def drive(engine: Engine, settings: Settings, study_id: str) -> tuple[Study, list[Trial]]:
    run(study_id, settings)
    return recorded(engine, study_id)


def recorded(engine: Engine, study_id: str) -> tuple[Study, list[Trial]]:
    with engine.connect() as connection:
        return studies.get(connection, study_id), trials.list_by_study(connection, study_id, frozenset(TrialState))


def move_five_of_a_to_b(root: Path) -> None:
    for path in sorted((root / "a").iterdir())[:5]:
        path.rename(root / "b" / path.name)


def once_a_trial_is_completed(engine: Engine, study_id: str, act: Callable[[], None]) -> threading.Thread:
    def completed() -> bool:
        with engine.connect() as connection:
            return bool(trials.list_by_study(connection, study_id, [TrialState.COMPLETED]))

    def wait_and_act() -> None:
        wait_for(completed, timeout_s=120, what="the first trial")
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def test_images_that_move_between_two_trials_end_the_search_and_no_score_is_on_others(
    engine: Engine, settings: Settings, root: Path
) -> None:
    study_id = make(engine, root, max_trials=30)
    mover = once_a_trial_is_completed(engine, study_id, lambda: move_five_of_a_to_b(root))
    study, ended = drive(engine, settings, study_id)
    mover.join()
    assert (study.state, study.reason) == (StudyState.FAILED, f"dataset: {MOVED}")
    completed = [trial for trial in ended if trial.state is TrialState.COMPLETED]
    (cut_off,) = [trial for trial in ended if trial.state is not TrialState.COMPLETED]
    assert (cut_off.state, cut_off.reason) == (TrialState.CANCELLED, MOVED)
    with engine.connect() as connection:
        matrices = [trials.get_details(connection, trial.id).confusion for trial in completed]
        assert studies.get_with_progress(connection, study_id)[1].spent == len(completed) < 30
        assert [queued.assignment for queued in studies.enqueued(connection, study_id).values()] == [cut_off.assignment]
    assert {tuple(sum(row) for row in matrix or ()) for matrix in matrices} == {(4, 4, 4)}


def test_an_extended_study_with_a_new_class_fails_before_it_trains_and_goes_on_once_it_is_gone(
    engine: Engine, settings: Settings, root: Path
) -> None:
    study_id = make(engine, root, max_trials=1)
    before, _ = drive(engine, settings, study_id)
    assert before.state is StudyState.COMPLETED
    write_classes(root, {"d": 10}, first=500)
    commands.extend(engine, study_id, max_trials=2, max_minutes=None)
    after, ended = drive(engine, settings, study_id)
    assert after.state is StudyState.FAILED
    assert (after.reason or "").startswith(
        "dataset: the images changed since the study began: 3 classes of 60 images then, 4 classes of 70 images now"
        " ('d': 0, now 10); make a new study"
    )
    assert (after.dataset_id, after.classes) == (before.dataset_id, ["a", "b", "c"])
    assert len(ended) == 1
    (root / "d").rename(root.parent / "d")
    commands.extend(engine, study_id, max_trials=2, max_minutes=None)
    restored, ended = drive(engine, settings, study_id)
    assert (restored.state, restored.reason) == (StudyState.COMPLETED, None)
    assert [trial.state for trial in ended] == [TrialState.COMPLETED] * 2


def test_what_a_study_read_first_is_recorded_once(engine: Engine, settings: Settings, root: Path) -> None:
    study_id = make(engine, root, max_trials=1)
    first = read_dataset(engine, study_id, settings.cache_dir)
    assert (first.classes, first.class_images) == (("a", "b", "c"), (20, 20, 20))
    move_five_of_a_to_b(root)
    with pytest.raises(ConflictError, match="has read its data set before"):
        read_dataset(engine, study_id, settings.cache_dir)
    assert recorded(engine, study_id)[0].dataset == first


def searched_study(engine: Engine, settings: Settings, root: Path, **fields: Any) -> tuple[str, str]:
    """A study of ten classes that has read its images, and a trial of it with weights: their ids."""
    write_classes(root, dict.fromkeys(DIGITS, 4))
    dataset = {"source": "folder", "path": str(root), "test_fraction": 0}
    study_id = make_study(engine, dataset=dataset, **{"compression": {"recipes": ["fp32"]}, **fields})
    read_dataset(engine, study_id, settings.cache_dir)
    trial_id = make_trial(engine, study_id)
    with engine.begin() as connection:
        network = build_network(trials.get(connection, trial_id).candidate.architecture, pretrained=False)
        weights = save_weights(network)
        file = {"id": new_id("artifact"), "kind": "weights", "trial_id": trial_id, "size_bytes": len(weights)}
        variants.add_artifact(connection, {**file, "sha256": ArtifactStore(settings.artifacts).put(weights)})
    assert CANDIDATE["architecture"]["backbone"][-1][-1] == [len(DIGITS)]
    return study_id, trial_id


def move_one(root: Path) -> Path:
    """Move an image of class 0 to class 1; where it is then."""
    path = next((root / "0").iterdir())
    return path.rename(root / "1" / path.name)


def train(engine: Engine, settings: Settings, training_id: str) -> tuple[JobState, str | None]:
    with engine.begin() as connection:
        trainings.record_submission(connection, training_id, 0, 1)
    TrainingJob(engine, settings, training_id).run()
    with engine.connect() as connection:
        training = trainings.get(connection, training_id)
    return training.state, training.reason


def test_a_full_training_on_other_images_fails_with_that_reason(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    study_id, trial_id = searched_study(engine, settings, tmp_path / "digits")
    training_id = commands.train(engine, trial_id, epochs=1, seeds=1).id
    move_one(tmp_path / "digits")
    state, reason = train(engine, settings, training_id)
    assert state is JobState.FAILED
    assert (reason or "").startswith("the images changed since the study began: 10 classes of 40 images then")
    assert recorded(engine, study_id)[0].state is StudyState.RUNNING


def test_a_full_training_on_the_studys_images_completes(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    _, trial_id = searched_study(engine, settings, tmp_path / "digits")
    assert train(engine, settings, commands.train(engine, trial_id, epochs=1, seeds=1).id) == (JobState.COMPLETED, None)


def test_a_study_whose_images_change_before_its_full_trainings_fails_with_what_it_waits_for(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    study_id, trial_id = searched_study(engine, settings, tmp_path / "digits", retrain={"top": 1, "seeds": 1})
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
        ((training,),) = trainings.of_trials(connection, [trial_id]).values()
    move_one(tmp_path / "digits")
    state, reason = train(engine, settings, training.id)
    study = recorded(engine, study_id)[0]
    assert (state, study.state) == (JobState.CANCELLED, StudyState.FAILED)
    assert study.reason == f"dataset: {reason}"


def test_a_study_whose_images_change_before_its_compression_fails_and_compresses_once_they_are_restored(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id, trial_id = searched_study(
        engine,
        settings,
        tmp_path / "digits",
        compression={"recipes": ["fp32", "static-int8"]},
        budget={"max_trials": 1},
    )
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
    moved = move_one(tmp_path / "digits")
    compress(engine, settings, monkeypatch)
    study = recorded(engine, study_id)[0]
    assert study.state is StudyState.FAILED
    assert (study.reason or "").startswith("dataset: the images changed since the study began: 10 classes of 40 images")
    with engine.connect() as connection:
        ended = jobs.of_trial(connection, trial_id)
    assert {(job.state, f"dataset: {job.reason}") for job in ended} == {(JobState.CANCELLED, study.reason)}
    assert len(ended) == 2
    moved.rename(tmp_path / "digits" / "0" / moved.name)
    commands.extend(engine, study_id, max_trials=1, max_minutes=None)
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.RUNNING)
        life_cycle.end_search(connection, study_id, reason=None)
    compress(engine, settings, monkeypatch)
    with engine.connect() as connection:
        again = jobs.of_trial(connection, trial_id)[2:]
    assert [(job.state, job.reason) for job in again] == [(JobState.COMPLETED, None)] * 2
    assert recorded(engine, study_id)[0].state is StudyState.COMPLETED


def test_a_recipe_asked_for_later_fails_where_the_images_have_changed(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id, trial_id = searched_study(engine, settings, tmp_path / "digits")
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.COMPLETED)
    commands.compress(engine, trial_id, default_recipe("fp32"))
    move_one(tmp_path / "digits")
    compress(engine, settings, monkeypatch)
    with engine.connect() as connection:
        (job,) = jobs.of_trial(connection, trial_id)
    assert job.state is JobState.FAILED
    assert (job.reason or "").startswith("the images changed since the study began: 10 classes of 40 images then")
    assert recorded(engine, study_id)[0].state is StudyState.COMPLETED


def compress(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the pool until nothing waits."""
    monkeypatch.setattr(compression_pool, "_IDLE_S", 1.0)
    Pool(engine, settings).run()
