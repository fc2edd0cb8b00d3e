"""Retention deletes what ended studies need no more, on a real database and a real folder."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from api.cli.main import app
from search.contract.recipes import default_recipe
from search.contract.states import StudyState
from services.errors import ConflictError
from services.storage.artifacts import ArtifactStore
from services.storage.retention import Collected, collect
from services.store import studies, trials, variants
from services.store.tables import artifacts, epochs
from services.studies import commands
from tests.integration.records import EPOCH, make_study, make_trial, make_variant


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def store(folder: Path) -> ArtifactStore:
    return ArtifactStore(folder)


def _trial(engine: Engine, store: ArtifactStore, study_id: str, *, length: int, f1: float, latency_ms: float) -> str:
    """A completed trial with weights of its own and a curve."""
    trial_id = make_trial(engine, study_id, f1=f1, latency_ms=latency_ms, latency_low_ms=0.1, latency_high_ms=9.0)
    sha256 = store.put(trial_id.encode())
    with engine.begin() as connection:
        connection.execute(update(artifacts).where(artifacts.c.trial_id == trial_id).values(sha256=sha256))
        for epoch in range(1, length + 1):
            report = replace(EPOCH, epoch=epoch, f1=f1, accuracy=f1, elapsed_s=float(epoch))
            trials.add_epoch(connection, study_id, trial_id, report)
    return trial_id


def _end(engine: Engine, study_id: str) -> None:
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.COMPLETED)


def _epochs(engine: Engine, trial_id: str) -> list[int]:
    with engine.connect() as connection:
        query = select(epochs.c.epoch).where(epochs.c.trial_id == trial_id).order_by(epochs.c.epoch)
        return list(connection.execute(query).scalars())


def _collect(engine: Engine, store: ArtifactStore, *, days: float = 0, dry_run: bool = False) -> Collected:
    return collect(engine, store, older_than_days=days, dry_run=dry_run, grace_s=0)


def test_beaten_trials_lose_their_weights_and_finer_curves_and_all_others_keep_them(
    engine: Engine, store: ArtifactStore
) -> None:
    study_id = make_study(engine)
    best = _trial(engine, store, study_id, length=100, f1=0.9, latency_ms=0.2)
    beaten = _trial(engine, store, study_id, length=100, f1=0.8, latency_ms=0.3)
    short = _trial(engine, store, study_id, length=32, f1=0.7, latency_ms=0.4)
    compressed = _trial(engine, store, study_id, length=1, f1=0.6, latency_ms=0.5)
    make_variant(engine, study_id, compressed)
    assert _collect(engine, store) == Collected(weights=0, epochs=0, events=0, files=0, size_bytes=0)
    _end(engine, study_id)
    planned = _collect(engine, store, dry_run=True)
    assert (planned.weights, planned.files, planned.events) == (2, 2, 233)
    assert len(_epochs(engine, beaten)) == 100
    assert _collect(engine, store, days=1).weights == 0
    assert _collect(engine, store) == planned
    assert _epochs(engine, best) == list(range(1, 101))
    assert _epochs(engine, short) == list(range(1, 33))
    assert len(_epochs(engine, beaten)) == 100 - planned.epochs < 40
    assert {1, 2, 4, 8, 16, 32, 64, 100} <= set(_epochs(engine, beaten))
    for trial_id in (best, compressed):
        with engine.connect() as connection:
            assert store.get(variants.get_weights(connection, trial_id).sha256) == trial_id.encode()
    with pytest.raises(ConflictError, match="were collected"):
        commands.compress(engine, beaten, default_recipe("fp32"))
    assert _collect(engine, store) == Collected(weights=0, epochs=0, events=0, files=0, size_bytes=0)


def test_a_file_that_no_row_names_goes_and_a_young_one_stays(
    engine: Engine, store: ArtifactStore, folder: Path
) -> None:
    sha256 = store.put(b"orphan")
    (folder / sha256[:2] / f".{sha256}.0123abcd").write_bytes(b"orp")
    assert collect(engine, store, older_than_days=0, dry_run=False).files == 0
    assert _collect(engine, store) == Collected(weights=0, epochs=0, events=0, files=2, size_bytes=9)
    assert not list(folder.glob("*/*"))


def test_a_file_of_two_trials_stays_until_both_are_beaten(engine: Engine, store: ArtifactStore) -> None:
    study_id = make_study(engine)
    _trial(engine, store, study_id, length=1, f1=0.9, latency_ms=0.2)
    beaten = _trial(engine, store, study_id, length=1, f1=0.8, latency_ms=0.3)
    other = make_study(engine)
    best = _trial(engine, store, other, length=1, f1=0.9, latency_ms=0.2)
    sha256 = hashlib.sha256(best.encode()).hexdigest()
    with engine.begin() as connection:
        connection.execute(update(artifacts).where(artifacts.c.trial_id == beaten).values(sha256=sha256))
    _end(engine, study_id)
    collected = _collect(engine, store)
    assert (collected.weights, collected.files) == (1, 1)
    assert store.get(sha256) == best.encode()


def test_the_command_tells_what_would_go_and_then_lets_go_of_it(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDLEAF_DATABASE_URL", database_url)
    monkeypatch.setenv("SEEDLEAF_HOME", str(tmp_path))
    store, study_id = ArtifactStore(tmp_path / "artifacts"), make_study(engine)
    for f1 in (0.9, 0.8):
        _trial(engine, store, study_id, length=1, f1=f1, latency_ms=0.2)
    _end(engine, study_id)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["gc", "--older-than", "0", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    told = json.loads(run("--dry-run", "--format", "json"))
    assert (told["weights"], told["dry_run"]) == (1, True)
    assert "would collect" in run("--dry-run")
    assert "weights of 1 dominated trials" in run()
    assert json.loads(run("--format", "json"))["weights"] == 0
