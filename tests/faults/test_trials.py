"""Faults inside trials, on a Ray of this process: a loss that is no number, a CPU hog beside a measurement (13, 20)."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import ray
from sqlalchemy import Engine

from search.contract.candidate import Architecture
from search.contract.states import StudyState, TrialState
from services.jobs.search_job import run
from services.records.trials import Trial
from services.settings import Settings
from services.storage.artifacts import ArtifactStore
from services.store import studies, trials
from tests.faults.invariants import check_invariants, witness
from tests.integration.records import make_study
from tests.server import wait_for
from workers.actors.hosts import NAMESPACE, RESOURCE
from workers.export import quick_onnx
from workers.latency.cores import chosen
from workers.latency.gate import HostGate
from workers.latency.protocol import measure, overlap
from workers.latency.runtimes import CPU
from workers.latency.subject import model_subject
from workers.models import build_network

#: Without normalization, so that a high learning rate ends in a loss that is no number.
_BODY = ((1, "FixedConv", (16,)), (2, "FixedConv", (16,)))
_HEAD = ((1, "GlobalAvgPool", ()), (1, "FixedConv", (10,)))
_SIDE_PX = 16


@pytest.fixture(scope="module", autouse=True)
def one_host() -> Iterator[None]:
    offered = {"num_cpus": 1, "num_gpus": 0, "resources": {RESOURCE: 1}}
    ray.init("local", namespace=NAMESPACE, **offered, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


def searched(engine: Engine, url: str, home: Path, *, learning_rates: Sequence[float]) -> Sequence[Trial]:
    """The trials of a study that has ended, one for each of ``learning_rates``; the invariants hold."""
    study_id = make_study(
        engine,
        StudyState.QUEUED,
        dataset={"source": "sklearn", "test_fraction": 0},
        space={
            "image_size": _SIDE_PX,
            "learning_rate": {"low": 0.01, "high": 10.0, "log": True},
            "architecture": {
                "stages": [{"name": "body", "blocks": {"plain": _BODY}}],
                "head": [{"name": "head", "blocks": {"plain": _HEAD}}],
            },
        },
        enqueue=[{"learning_rate": rate} for rate in learning_rates],
        budget={"max_trials": len(learning_rates), "epochs": 1},
        compression={"max_candidates": 0},
    )
    before = witness(engine)
    run(study_id, Settings.model_validate({"database_url": url, "home": home}))
    with engine.connect() as connection:
        assert studies.get(connection, study_id).state is StudyState.COMPLETED
        ended = trials.list_by_study(connection, study_id, frozenset(TrialState))
    wait_for(lambda: not _trial_workers(), timeout_s=30, what="the trials' workers to end")
    check_invariants(engine, ArtifactStore(home / "artifacts"), before, processes=_children)
    return ended


@contextmanager
def hog() -> Iterator[None]:
    """A process that keeps the core busy which measurements take."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        os.sched_setaffinity(process.pid, chosen(os.sched_getaffinity(0), threads=1))
        try:
            yield
        finally:
            process.kill()


def test_a_loss_that_is_no_number_fails_its_trial_with_advice_and_no_other(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    first, second = searched(engine, database_url, tmp_path, learning_rates=[10.0, 0.01])
    assert (first.state, second.state) == (TrialState.FAILED, TrialState.COMPLETED)
    assert "the loss is nan in epoch 1: lower the learning rate 10" in (first.reason or "")
    assert "f1" not in first.metrics


@pytest.mark.slow  # whatever else measures on this machine would wait for the hog too
def test_a_hog_on_the_measuring_core_fails_no_trial_and_does_not_tell_a_model_from_itself(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    model = quick_onnx(build_network(Architecture.model_validate({"backbone": _BODY + _HEAD})), _SIDE_PX)
    with hog():
        (trial,) = searched(engine, database_url, tmp_path, learning_rates=[0.01])
        same, again = measure([model_subject(name, CPU, model) for name in "AB"], threads=1, gate=HostGate())
    assert trial.state is TrialState.COMPLETED
    low_ms, median_ms, high_ms = (trial.metrics[f"latency_{name}"] for name in ("low_ms", "ms", "high_ms"))
    assert 0 < low_ms <= median_ms <= high_ms
    assert overlap(same, again) or not same.stable


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _trial_workers() -> list[psutil.Process]:
    return [process for process in _children() if "Trainable" in _command(process)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
