"""A study's teacher on a real Ray and a real PostgreSQL: its answers reach later trials, whoever drives the search."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import torch
from ray import tune
from sqlalchemy import Engine

from search.contract.candidate import Architecture, Candidate
from search.contract.metrics import Metrics
from search.contract.reports import ANSWERS, CompletedTrial, Measurement, TrialReport
from search.contract.states import StudyState, TrialState
from search.contract.trials import TrialRole
from search.tune.codec import decode_suggestion, encode_report
from services.jobs.search_job import run
from services.records.studies import Study
from services.records.trials import Trial
from services.settings import Settings
from services.storage import retention
from services.storage.artifacts import ArtifactStore
from services.store import studies, trials
from services.studies import commands
from tests.integration.records import METRICS, make_study
from workers.actors.hosts import NAMESPACE, RESOURCE
from workers.actors.trial import TrialTask
from workers.data import load_study_dataset
from workers.export import quick_onnx
from workers.models import build_network
from workers.teacher.answers import TeacherAnswers

SIDE_PX, CLASSES = 8, 10
ONE_AT_A_TIME = {"concurrency": 1, "cpus_per_trial": 1}
SPACE = {
    "architecture": "pretrained",
    "image_size": [SIDE_PX, 2 * SIDE_PX],
    "learning_rate": {"low": 0.01, "high": 0.1},
    "distillation_weight": [0.5, 0.9],
}


class Listener(tune.Trainable):  # type: ignore[misc]
    """Trains nothing: the teacher answers, and others report the largest answer that they were given as their f1."""

    def setup(self, config: dict[str, object], task: TrialTask) -> None:
        self._task = task
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, object]) -> bool:
        self._trial = decode_suggestion(new_config)
        return True

    def step(self) -> dict[str, object]:
        measurement = Measurement(metrics={**METRICS, "f1": self._heard()}, host="a host")
        files = {ANSWERS: self._taught()} if self._trial.teaches else {}
        result = CompletedTrial(measurement=measurement, files=files)
        return encode_report(TrialReport(epoch=None, measurement=measurement, result=result))

    def _heard(self) -> float:
        if self._trial.answers is None:
            return 0.0
        answers: TeacherAnswers = ray.get(self._trial.answers)
        return float(answers.logits.max())

    def _taught(self) -> bytes:
        dataset = load_study_dataset(self._task.dataset, side_px=SIDE_PX, cache_dir=self._task.cache_dir)
        logits = np.full((len(dataset.splits.full_train), CLASSES), 0.25, np.float32)
        return TeacherAnswers.on(dataset, logits).to_bytes()


def no_cost(candidate: Candidate) -> Metrics:
    return {"macs": 1.0, "params": 1.0}


@pytest.fixture(scope="module", autouse=True)
def two_cores() -> Iterator[None]:
    ray.init(
        "local",
        namespace=NAMESPACE,
        num_cpus=2,
        resources={RESOURCE: 1},
        log_to_driver=False,
        include_dashboard=False,
    )
    yield
    ray.shutdown()


def drive(engine: Engine, settings: Settings, study_id: str) -> tuple[Study, list[Trial]]:
    def no_features(candidate: Candidate) -> Mapping[str, float]:
        return {}

    run(study_id, settings, trainable=Listener, profile=no_cost, features=no_features)
    with engine.connect() as connection:
        return studies.get(connection, study_id), trials.list_by_study(connection, study_id, frozenset(TrialState))


def make(engine: Engine, *, max_trials: int, **fields: Any) -> str:
    fields = {"space": SPACE, "resources": ONE_AT_A_TIME, "compression": {"max_candidates": 0}, **fields}
    return make_study(engine, StudyState.QUEUED, budget={"max_trials": max_trials, "epochs": 1}, **fields)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, home=tmp_path)


def test_the_plain_trial_teaches_those_after_it_and_none_before(engine: Engine, settings: Settings) -> None:
    study_id = make(engine, max_trials=6)
    study, ended = drive(engine, settings, study_id)
    (teacher,) = [trial for trial in ended if trial.role is TrialRole.PLAIN]
    assert study.teacher_trial_id == teacher.id
    for trial in ended:
        is_later = trial.number > teacher.number
        assert ("distillation_weight" in trial.assignment) == is_later
        assert (trial.candidate.distillation_weight > 0) == is_later
        assert trial.metrics["f1"] == (0.25 if is_later else 0.0)
    assert ended[-1].number > teacher.number


def test_a_new_driver_has_the_answers_from_the_artifact_store(engine: Engine, settings: Settings) -> None:
    study_id = make(engine, max_trials=3)
    first, _ = drive(engine, settings, study_id)
    assert first.teacher_answers_sha256 is not None
    commands.extend(engine, study_id, max_trials=5, max_minutes=None)
    second, ended = drive(engine, settings, study_id)
    assert second.teacher_trial_id == first.teacher_trial_id
    assert [trial.metrics["f1"] for trial in ended[3:]] == [0.25, 0.25]


def test_the_answers_are_kept_while_their_study_is(engine: Engine, settings: Settings) -> None:
    study, _ = drive(engine, settings, make(engine, max_trials=2))
    artifacts = ArtifactStore(settings.artifacts)
    retention.collect(engine, artifacts, older_than_days=0, dry_run=False, grace_s=0)
    assert study.teacher_answers_sha256 is not None
    assert TeacherAnswers.from_bytes(artifacts.get(study.teacher_answers_sha256)).logits.max() == 0.25


def test_a_file_teaches_every_trial_of_any_space(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    backbone = ((1, "Conv", (8, 3, 2)), (1, "GlobalAvgPool", ()), (1, "FixedConv", (CLASSES,)))
    torch.manual_seed(0)
    path = tmp_path / "teacher.onnx"
    path.write_bytes(quick_onnx(build_network(Architecture(backbone=backbone)), SIDE_PX))
    space = {"architecture": "blocks-small", "distillation_weight": 0.5}
    study, ended = drive(engine, settings, make(engine, max_trials=2, space=space, teacher=str(path)))
    assert study.teacher_trial_id is None
    assert study.teacher_answers_sha256 is not None
    answers = TeacherAnswers.from_bytes(ArtifactStore(settings.artifacts).get(study.teacher_answers_sha256))
    heard = min(float(answers.logits.max()), 1.0)
    assert [trial.candidate.distillation_weight for trial in ended] == [0.5, 0.5]
    assert [trial.metrics["f1"] for trial in ended] == pytest.approx([heard, heard])


def test_a_file_that_will_not_do_fails_the_study_and_says_why(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "teacher.onnx").write_bytes(b"no model")
    study_id = make(engine, max_trials=2, space={}, teacher=str(tmp_path / "teacher.onnx"))
    study, ended = drive(engine, settings, study_id)
    assert study.state is StudyState.FAILED
    assert "teacher.onnx is no ONNX model that ONNX Runtime can run" in (study.reason or "")
    assert not ended
