"""Faults that meet the record alone: stale and skewed holders, races, cut-off writes (5, 6 and 15 to 18)."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

import services.store
from search.contract.candidate import Candidate
from search.contract.reports import CompletedTrial
from search.contract.states import JobState, StudyState, TrialState
from services.database import migrate
from services.errors import ConflictError, LeaseLostError
from services.jobs.recorder import LEASE_S, Recorder
from services.storage.artifacts import ArtifactStore
from services.store import jobs, studies, trials, variants
from services.studies import commands
from tests.faults.invariants import check_invariants, witness
from tests.integration.records import CANDIDATE, EPOCH, MEASUREMENT, METRICS, make_study
from tests.server import wait_for

_THOUSAND_RUNNING = (
    "INSERT INTO seedleaf.studies (id, name, state, spec)"
    " SELECT 'study_' || n, 'race', 'RUNNING', '{}' FROM generate_series(0, 999) AS n",
    "INSERT INTO seedleaf.trials (id, study_id, number, state, candidate, assignment)"
    " SELECT 'trial_' || n, 'study_' || n, 0, 'RUNNING', CAST(:candidate AS jsonb), '{}'"
    " FROM generate_series(0, 999) AS n",
)
Process = subprocess.Popen[str]
#: A study with a trial and a recipe that waits, as migration 0001 kept them.
_FIRST_VERSION = (
    "INSERT INTO seedleaf.studies (id, name, state, spec) VALUES ('study_1', 'of the first version', 'RUNNING', '{}')",
    "INSERT INTO seedleaf.trials (id, study_id, number, state, candidate, assignment, f1, finished_at)"
    " VALUES ('trial_1', 'study_1', 0, 'COMPLETED', '{}', '{}', 0.5, now())",
    "INSERT INTO seedleaf.events (study_id, kind, trial_id, payload)"
    " VALUES ('study_1', 'trial', 'trial_1', jsonb_build_object('state', 'COMPLETED'))",
    "INSERT INTO seedleaf.artifacts (id, sha256, kind, size_bytes, trial_id)"
    " VALUES ('artifact_1', :sha256, 'weights', 7, 'trial_1')",
    "INSERT INTO seedleaf.compression_jobs (id, trial_id, study_id, recipe, state)"
    " VALUES ('job_1', 'trial_1', 'study_1', '{}', 'QUEUED')",
)


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


@contextmanager
def python(*arguments: str, **environment: str) -> Iterator[Process]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        with process:
            yield process
    finally:
        process.kill()


def holder(url: str, folder: Path, study_id: str, *, clock_s: int = 0) -> AbstractContextManager[Process]:
    return python("-m", "tests.faults.holder", url, str(folder), study_id, str(clock_s))


def line(process: Process) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def let_it_end_its_trial(process: Process) -> None:
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def test_a_holder_stopped_past_its_lease_writes_nothing_when_it_wakes(
    engine: Engine, database_url: str, tmp_path: Path, artifacts: ArtifactStore
) -> None:
    study_id = make_study(engine, StudyState.QUEUED)
    with holder(database_url, tmp_path, study_id) as stopped:
        trial_id = line(stopped)
        before = witness(engine)
        stopped.send_signal(signal.SIGSTOP)
        with engine.begin() as connection:
            studies.set_values(connection, study_id, lease_expires_at=text("now() - interval '1 second'"))
            assert studies.list_active(connection)[0].overdue
        successor = Recorder(engine, artifacts, study_id)
        stopped.send_signal(signal.SIGCONT)
        let_it_end_its_trial(stopped)
    assert [queued.assignment for queued in successor.enqueued().values()] == [{"width": 8}]
    successor.close()
    with engine.connect() as connection:
        assert trials.get(connection, trial_id).state is TrialState.CANCELLED
    check_invariants(engine, artifacts, before)


@pytest.mark.parametrize("clock_s", [-300, 300])
def test_a_clock_that_is_five_minutes_off_changes_no_lease(
    engine: Engine, database_url: str, tmp_path: Path, artifacts: ArtifactStore, clock_s: int
) -> None:
    study_id = make_study(engine, StudyState.QUEUED)
    with holder(database_url, tmp_path, study_id, clock_s=clock_s) as skewed:
        trial_id = line(skewed)
        with engine.connect() as connection:
            left_s = text("SELECT extract(epoch FROM lease_expires_at - now()) FROM seedleaf.studies")
            assert 0 < connection.execute(left_s).scalar_one() <= LEASE_S
            assert not studies.list_active(connection)[0].overdue
        before = witness(engine)
        let_it_end_its_trial(skewed)
    with engine.connect() as connection:
        assert trials.get(connection, trial_id).state is TrialState.COMPLETED
    check_invariants(engine, artifacts, before)


def test_a_writer_killed_in_the_middle_of_a_file_leaves_nothing_visible(
    engine: Engine, tmp_path: Path, artifacts: ArtifactStore
) -> None:
    write = "import sys; from pathlib import Path; from services.storage.artifacts import ArtifactStore;"
    write += "print('ready', flush=True); ArtifactStore(Path(sys.argv[1])).put(bytes(512 * 2**20))"
    with python("-c", write, str(tmp_path)) as writer:
        line(writer)
        wait_for(lambda: list(tmp_path.glob("*/.*")), timeout_s=60, what="an unfinished file")
        writer.kill()
        writer.wait()
    assert [path for path in tmp_path.glob("*/*") if not path.name.startswith(".")] == []
    check_invariants(engine, artifacts, witness(engine))


def test_cancelling_races_completion_1000_times_and_one_of_them_wins(engine: Engine, artifacts: ArtifactStore) -> None:
    with engine.begin() as connection:
        for statement in _THOUSAND_RUNNING:
            connection.execute(text(statement), {"candidate": json.dumps(CANDIDATE)})
    before, won = witness(engine), {}
    with ThreadPoolExecutor(1) as pool:
        for number in range(1000):
            completed = pool.submit(_complete, engine, f"trial_{number}")
            commands.cancel(engine, f"study_{number}")
            won[f"trial_{number}"] = completed.result()
    with engine.connect() as connection:
        states = {row.id: row.state for row in connection.execute(text("SELECT id, state FROM seedleaf.trials"))}
    assert states == {trial_id: "COMPLETED" if completed else "CANCELLED" for trial_id, completed in won.items()}
    assert set(won.values()) == {True, False}, "there was no race"
    check_invariants(engine, artifacts, before)


def _complete(engine: Engine, trial_id: str) -> bool:
    try:
        with engine.begin() as connection:
            trials.end(connection, trial_id, TrialState.COMPLETED, metrics=METRICS)
    except ConflictError:
        return False
    return True


def test_two_drivers_at_once_take_turns_and_one_holds_the_lease(engine: Engine, artifacts: ArtifactStore) -> None:
    study_id = make_study(engine, StudyState.QUEUED)
    candidate = Candidate.model_validate(CANDIDATE)
    first = Recorder(engine, artifacts, study_id)
    trial_id = first.started(assignment={"width": 8}, candidate=candidate, metrics={}, enqueued=None)
    before = witness(engine)
    second = Recorder(engine, artifacts, study_id)
    with pytest.raises(LeaseLostError):
        first.epoch(trial_id, EPOCH)
    first.ended(trial_id, CompletedTrial(measurement=MEASUREMENT))
    with engine.connect() as connection:
        assert trials.get(connection, trial_id).state is TrialState.CANCELLED
    wait_for(lambda: first.lease_lost, timeout_s=10, what="the first to notice")
    assert not second.lease_lost
    first.close()
    second.close()
    check_invariants(engine, artifacts, before)


def test_a_migration_killed_half_way_is_made_whole_by_the_next_and_keeps_what_was_stored(
    engine: Engine, database_url: str, artifacts: ArtifactStore
) -> None:
    sha256 = artifacts.put(b"weights")
    _store_with_the_first_version(engine, sha256)
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE seedleaf.compression_jobs IN ACCESS SHARE MODE"))
        with python("-m", "services.migrate", SEEDLEAF_DATABASE_URL=database_url) as migrating:
            wait_for(lambda: _waits_for_a_lock(engine), timeout_s=60, what="the migration to wait for the table")
            migrating.kill()
    migrate(engine)
    with engine.connect() as connection:
        assert studies.get(connection, "study_1").name == "of the first version"
        assert jobs.of_trial(connection, "trial_1")[0].state is JobState.QUEUED
        assert variants.get_weights(connection, "trial_1").sha256 == sha256
    check_invariants(engine, artifacts, witness(engine))


def _store_with_the_first_version(engine: Engine, sha256: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(services.store.__path__[0]) / "migrations"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA seedleaf CASCADE"))
        connection.execute(text("CREATE SCHEMA seedleaf"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in _FIRST_VERSION:
            connection.execute(text(statement), {"sha256": sha256})


def _waits_for_a_lock(engine: Engine) -> bool:
    with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(connection.execute(text(query)).scalar_one())
