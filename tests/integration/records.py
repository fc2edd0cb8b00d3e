"""Studies and trials for tests of the record."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from search.contract.epochs import EpochReport
from search.contract.on_test import ScoresOnTest
from search.contract.recipes import Recipe
from search.contract.reports import Measurement
from search.contract.states import JobState, StudyState, TrialState
from search.contract.study_dataset import StudyDataset
from search.contract.trials import Assignment, TrialRole
from search.study.spec import StudySpec
from search.study.yardsticks import first_side_px
from services.records.scorings import Scoring, ScoringResult
from services.store import scorings, studies, trials, variants
from services.store.ids import new_id
from services.studies import commands, life_cycle
from workers.data import load_dataset

HOST = "a host"
CANDIDATE: dict[str, Any] = {
    "architecture": {"backbone": [[1, "Conv", [8, 3, 2]], [1, "GlobalAvgPool", []], [1, "FixedConv", [10]]]},
    "image_size": 16,
    "batch_size": 32,
    "learning_rate": 0.1,
    "optimizer": "sgd",
}
METRICS = {
    "f1": 0.9,
    "accuracy": 0.91,
    "latency_ms": 0.2,
    "latency_low_ms": 0.19,
    "latency_high_ms": 0.21,
    "latency_p90_ms": 0.25,
    "macs": 1000,
    "params": 100,
    "size_bytes": 4000,
    "score": 0.1,
}
WIDTH: Assignment = {"width": 8}
#: The first epoch of a training.
EPOCH = EpochReport(epoch=1, loss=1.0, f1=0.5, accuracy=0.5, elapsed_s=0.1, steps_s=0.1)
MEASUREMENT = Measurement(metrics=METRICS)
ON_TEST = ScoresOnTest(f1=0.8, low=0.7, high=0.85, images=50)
NO_TEST_SPLIT = ScoringResult(variants={}, trials={}, reason="the data set has no test split")


def make_spec(**changes: Any) -> StudySpec:
    return StudySpec.model_validate({"name": "test", "dataset": {"source": "sklearn"}, **changes})


def make_study(engine: Engine, state: StudyState = StudyState.RUNNING, **changes: Any) -> str:
    study_id = commands.create(engine, make_spec(**changes)).id
    with engine.begin() as connection:
        if state is not StudyState.QUEUED:
            studies.set_state(connection, study_id, StudyState.RUNNING)
        if state not in (StudyState.QUEUED, StudyState.RUNNING):
            studies.set_state(connection, study_id, state, reason="for a test")
    return study_id


def read_dataset(engine: Engine, study_id: str, cache_dir: Path) -> StudyDataset:
    """Record a study's data set as its driver does when it reads it first."""
    with engine.begin() as connection:
        spec = studies.get(connection, study_id).spec
        dataset = load_dataset(spec.dataset, side_px=first_side_px(spec.space), cache_dir=cache_dir)
        studies.set_dataset(
            connection,
            study_id,
            dataset_id=dataset.id,
            classes=dataset.classes,
            class_images=dataset.class_images,
            skipped=[],
        )
        return studies.get(connection, study_id).dataset


def make_variant(engine: Engine, study_id: str, trial_id: str, **values: Any) -> str:
    """A variant of a recipe of its own, timed on ``host``, "a host" where none is given."""
    variant_id = new_id("variant")
    job_id = commands.compress(engine, trial_id, Recipe(name=variant_id, steps=())).id
    row = {"runtime": "onnxruntime", "host": HOST, "latency": {}, "recipe": "test", "steps": [], **METRICS, **values}
    with engine.begin() as connection:
        variants.add(
            connection, {**row, "id": variant_id, "job_id": job_id, "trial_id": trial_id, "study_id": study_id}
        )
    return variant_id


def make_trial(
    engine: Engine,
    study_id: str,
    state: TrialState = TrialState.COMPLETED,
    *,
    role: TrialRole | None = None,
    assignment: Assignment = WIDTH,
    **metrics: float,
) -> str:
    trial_id = new_id("trial")
    with engine.begin() as connection:
        trials.add(
            connection,
            trial_id=trial_id,
            study_id=study_id,
            number=trials.next_number(connection, study_id),
            candidate=CANDIDATE,
            assignment=assignment,
            metrics={},
            role=role,
        )
        if state is TrialState.COMPLETED:
            trials.end(connection, trial_id, state, metrics={**METRICS, **metrics}, host=HOST)
            weights = {"sha256": "0" * 64, "kind": "weights", "size_bytes": 1, "trial_id": trial_id}
            variants.add_artifact(connection, {"id": new_id("artifact"), **weights})
        elif state is not TrialState.RUNNING:
            trials.end(connection, trial_id, state, reason="for a test")
    return trial_id


def queued_scoring(engine: Engine, study_id: str) -> Scoring | None:
    """The scoring of a study that waits, if one does."""
    with engine.connect() as connection:
        waiting = [row for row in scorings.list_by_study(connection, study_id) if row.state is JobState.QUEUED]
    assert len(waiting) < 2
    return waiting[0] if waiting else None


def end_scoring(engine: Engine, study_id: str, result: ScoringResult = NO_TEST_SPLIT) -> None:
    """Carry the scoring that waits out, as its Ray job does."""
    scoring = queued_scoring(engine, study_id)
    assert scoring is not None
    with engine.begin() as connection:
        scorings.record_submission(connection, scoring.id, 0, 1)
        scorings.begin(connection, scoring.id)
        life_cycle.complete_scoring(connection, scoring.id, 1, result)
