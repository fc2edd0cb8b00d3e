"""The job that scores models on the test split, on real images, files and weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from sqlalchemy import Engine

from search.contract.candidate import Candidate
from search.contract.states import StudyState
from services.jobs.test_scoring_job import ScoringJob
from services.records.studies import Study
from services.settings import Settings
from services.storage.artifacts import ArtifactStore
from services.store import scorings, studies, trials, variants
from services.store.ids import new_id
from services.studies import life_cycle
from tests.integration.records import CANDIDATE, make_study, make_trial, make_variant, queued_scoring, read_dataset
from tests.unit.data_folders import write_classes
from workers.data import load_dataset, load_test_split
from workers.export import save_weights, to_onnx
from workers.models import Network, build_network

DIGITS = [str(digit) for digit in range(10)]
SLOW: dict[str, Any] = dict.fromkeys(("latency_ms", "latency_low_ms", "latency_high_ms"), 0.9)


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, home=tmp_path / "home")


def network_of(candidate: Candidate) -> Network:
    torch.manual_seed(0)
    return build_network(candidate.architecture, pretrained=False)


def scorable_study(engine: Engine, config: Settings, **dataset: object) -> tuple[str, dict[str, str]]:
    """A study whose search has ended: a trial with weights and a variant that are picks, and a beaten trial."""
    study_id = make_study(engine, dataset=dataset, compression={"max_candidates": 0})
    read_dataset(engine, study_id, config.cache_dir)
    pick, beaten = make_trial(engine, study_id, f1=0.9), make_trial(engine, study_id, f1=0.5, **SLOW, score=0.9)
    network, artifacts = network_of(Candidate.model_validate(CANDIDATE)), ArtifactStore(config.artifacts)
    variant_id = make_variant(engine, study_id, pick)
    with engine.begin() as connection:
        for kind, content, of_variant in (
            ("weights", save_weights(network), None),
            ("onnx", to_onnx(network, 16), variant_id),
        ):
            file = {"id": new_id("artifact"), "kind": kind, "sha256": artifacts.put(content), "trial_id": pick}
            variants.add_artifact(connection, {**file, "size_bytes": len(content), "variant_id": of_variant})
        life_cycle.end_search(connection, study_id, reason=None)
        for job in connection.exec_driver_sql("SELECT id FROM seedleaf.compression_jobs").scalars().all():
            connection.exec_driver_sql(
                "UPDATE seedleaf.compression_jobs SET state = 'CANCELLED', finished_at = now() WHERE id = %s", (job,)
            )
        life_cycle.advance(connection, study_id)
    return study_id, {"pick": pick, "beaten": beaten, "variant": variant_id}


def score(engine: Engine, config: Settings, study_id: str) -> Study:
    scoring = queued_scoring(engine, study_id)
    assert scoring is not None
    with engine.begin() as connection:
        scorings.record_submission(connection, scoring.id, 0, 1)
    ScoringJob(engine, config, scoring.id).run()
    with engine.connect() as connection:
        return studies.get(connection, study_id)


def folder_of_digits(root: Path) -> Path:
    write_classes(root / "train", dict.fromkeys(DIGITS, 4))
    write_classes(root / "test", dict.fromkeys(DIGITS, 2), first=1000)
    return root


def test_picks_have_a_score_with_an_interval_and_no_other_model_has_one(engine: Engine, config: Settings) -> None:
    study_id, made = scorable_study(engine, config, source="sklearn")
    study = score(engine, config, study_id)
    assert (study.state, study.test_looks, study.test_reason) == (StudyState.COMPLETED, 1, None)
    with engine.connect() as connection:
        of_trial = trials.get(connection, made["pick"]).on_test
        of_variant = variants.get(connection, made["variant"]).on_test
        assert trials.get(connection, made["beaten"]).on_test.f1_test is None
    assert of_variant == of_trial
    assert of_trial.f1_test is not None
    assert of_trial.f1_test_low is not None
    assert of_trial.f1_test_high is not None
    assert 0 <= of_trial.f1_test_low <= of_trial.f1_test <= of_trial.f1_test_high <= 1
    split = load_test_split(study.spec.dataset, side_px=16, cache_dir=config.cache_dir)
    assert of_trial.test_images == len(split.labels) > 0


def test_test_images_that_cannot_be_read_are_noticed_by_the_scoring_alone(
    engine: Engine, config: Settings, tmp_path: Path
) -> None:
    root = folder_of_digits(tmp_path / "digits")
    for image in (root / "test").rglob("*.png"):
        image.write_bytes(b"no image")
    study_id, made = scorable_study(engine, config, source="folder", path=str(root))
    with engine.connect() as connection:
        spec = studies.get(connection, study_id).spec
    assert load_dataset(spec.dataset, side_px=16, cache_dir=config.cache_dir).skipped == ()
    study = score(engine, config, study_id)
    assert (study.state, study.test_looks) == (StudyState.COMPLETED, 0)
    assert (study.test_reason or "").startswith(
        "the test split cannot be read: none of its 20 images can be used, the first ("
    )
    assert "\n" not in (study.test_reason or "")
    with engine.connect() as connection:
        assert trials.get(connection, made["pick"]).on_test.f1_test is None


def test_a_test_folder_is_scored_where_its_images_can_be_read(engine: Engine, config: Settings, tmp_path: Path) -> None:
    root = folder_of_digits(tmp_path / "digits")
    study_id, made = scorable_study(engine, config, source="folder", path=str(root))
    assert score(engine, config, study_id).test_looks == 1
    with engine.connect() as connection:
        assert variants.get(connection, made["variant"]).on_test.test_images == 20


def test_a_study_of_other_classes_is_not_scored(engine: Engine, config: Settings) -> None:
    study_id, _ = scorable_study(engine, config, source="sklearn")
    with engine.begin() as connection:
        studies.set_values(connection, study_id, classes=list(reversed(DIGITS)))
    study = score(engine, config, study_id)
    assert (study.state, study.test_looks) == (StudyState.COMPLETED, 0)
    assert "its classes were 9, 8" in (study.test_reason or "")


def test_a_study_whose_images_changed_is_not_scored_and_says_why(
    engine: Engine, config: Settings, tmp_path: Path
) -> None:
    root = folder_of_digits(tmp_path / "digits")
    study_id, made = scorable_study(engine, config, source="folder", path=str(root))
    moved = next((root / "train" / "0").iterdir())
    moved.rename(root / "train" / "1" / moved.name)
    study = score(engine, config, study_id)
    assert (study.state, study.test_looks) == (StudyState.COMPLETED, 0)
    assert study.test_reason == (
        "the images changed since the study began: 10 classes of 40 images then, 10 classes of 40 images now"
        " ('0': 4, now 3; '1': 4, now 5); make a new study, or restore the images and extend this one"
    )
    with engine.connect() as connection:
        assert trials.get(connection, made["pick"]).on_test.f1_test is None


def test_a_study_is_scored_on_one_set_of_test_images_however_often(
    engine: Engine, config: Settings, tmp_path: Path
) -> None:
    root = folder_of_digits(tmp_path / "digits")
    study_id, made = scorable_study(engine, config, source="folder", path=str(root))
    first = score(engine, config, study_id)
    assert first.test_id is not None
    with engine.begin() as connection:
        scores = trials.get(connection, made["pick"]).on_test
        scorings.add(connection, scoring_id=new_id("scoring"), study_id=study_id, trial_id=made["beaten"])
        weights = variants.get_weights(connection, made["pick"]).sha256
        file = {"id": new_id("artifact"), "kind": "weights", "sha256": weights, "trial_id": made["beaten"]}
        variants.add_artifact(connection, {**file, "size_bytes": 1})
    next((root / "test" / "0").iterdir()).unlink()
    second = score(engine, config, study_id)
    assert (second.test_looks, second.test_id) == (1, first.test_id)
    assert (second.test_reason or "").startswith("the test images changed since models of the study were first scored")
    with engine.connect() as connection:
        assert trials.get(connection, made["pick"]).on_test == scores
        assert trials.get(connection, made["beaten"]).on_test.f1_test is None


def test_what_has_lost_its_files_is_named_and_the_rest_is_scored(engine: Engine, config: Settings) -> None:
    study_id, made = scorable_study(engine, config, source="sklearn")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM seedleaf.artifacts WHERE variant_id IS NULL")
    study = score(engine, config, study_id)
    assert (study.state, study.test_looks) == (StudyState.COMPLETED, 1)
    assert f"the weights of trial {made['pick']} were collected" in (study.test_reason or "")
    with engine.connect() as connection:
        assert variants.get(connection, made["variant"]).on_test.f1_test is not None


def test_a_study_without_a_test_split_ends_at_once_and_says_so(engine: Engine, config: Settings) -> None:
    study_id, _ = scorable_study(engine, config, source="sklearn", test_fraction=0)
    assert queued_scoring(engine, study_id) is None
    with engine.connect() as connection:
        study = studies.get(connection, study_id)
    assert (study.state, study.test_looks) == (StudyState.COMPLETED, 0)
    assert study.test_reason == "the study has no test split: its dataset.test_fraction is 0"
