"""A deleted study leaves no row and no file, and nothing else loses any; on a real database and a real folder."""

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import optuna
import pytest
from sqlalchemy import Engine, select, text, update

import services.events
from search.contract.candidate import Enqueued
from search.contract.recipes import Recipe
from search.contract.states import JobState, StudyState
from search.samplers.optuna_trials import optuna_study
from services import keys
from services.database import optuna_url
from services.errors import ConflictError, DeletedError, LeaseLostError, NotFoundError, RejectedError
from services.jobs.recorder import Recorder
from services.jobs.search_job import _transfer
from services.records.trainings import TrainingRun
from services.storage.artifacts import ArtifactStore
from services.store import deletions, jobs, recipe_searches, scorings, studies, tables, trainings, trials, variants
from services.store.ids import new_id
from services.studies import commands, deletion, life_cycle
from tests.integration.records import EPOCH, make_spec, make_study, make_trial, make_variant
from tests.integration.security import serving

_KEPT = {"deleted_studies", "deleted_files", "api_keys", "dataset_checks", "storage_faults"}


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def _with_files(engine: Engine, store: ArtifactStore, state: StudyState, *contents: bytes) -> str:
    """A study with a row in every table, whose files have these contents."""
    study_id = make_study(engine)
    trial_id = make_trial(engine, study_id)
    shas = [store.put(content) for content in contents]
    with engine.begin() as connection:
        mine = tables.artifacts.c.trial_id == trial_id
        connection.execute(update(tables.artifacts).where(mine).values(sha256=shas[0]))
        trials.add_epoch(connection, study_id, trial_id, EPOCH)
        studies.enqueue(connection, new_id("enqueued"), study_id, Enqueued(assignment={"width": 8}))
        scorings.add(connection, scoring_id=new_id("scoring"), study_id=study_id, trial_id=trial_id)
        recipe_searches.add(
            connection,
            search_id=new_id("recipes"),
            trial_id=trial_id,
            study_id=study_id,
            weights_sha256=shas[0],
        )
        studies.set_values(connection, study_id, teacher_answers_sha256=shas[1])
    variant_id = make_variant(engine, study_id, trial_id)
    training_id = commands.train(engine, trial_id, epochs=1, seeds=2).id
    with engine.begin() as connection:
        file = {"sha256": shas[2], "kind": "onnx", "size_bytes": 1, "trial_id": trial_id, "variant_id": variant_id}
        variants.add_artifact(connection, {"id": new_id("artifact"), **file})
        run = TrainingRun(
            seed=0,
            f1=0.5,
            accuracy=0.5,
            per_class_f1=(0.5,),
            confusion=((1,),),
            weights_sha256=shas[3],
            weights_size_bytes=1,
        )
        trainings.add_run(connection, training_id, run)
        trainings.add_epoch(connection, trainings.get(connection, training_id), 0, EPOCH)
        if state is not StudyState.RUNNING:
            studies.set_state(connection, study_id, state, reason="for a test")
    return study_id


def _counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(text(f"SELECT count(*) FROM {table.fullname}")).scalar_one()
            for table in tables.metadata.sorted_tables
            if table.name not in _KEPT
        }


def _stored(store: ArtifactStore) -> set[bytes]:
    return {store.get(name) for name, _ in store.files(older_than_s=-60)}


def test_a_deleted_study_leaves_nothing_and_another_keeps_what_they_share(
    engine: Engine, database_url: str, store: ArtifactStore, tmp_path: Path
) -> None:
    other = _with_files(engine, store, StudyState.COMPLETED, b"shared", b"its answers", b"its model", b"its weights")
    before, files = _counts(engine), _stored(store)
    assert all(before.values()), before
    doomed = _with_files(engine, store, StudyState.CANCELLED, b"shared", b"answers", b"model", b"weights")
    mirror = optuna.storages.RDBStorage(optuna_url(database_url))
    for study_id in (other, doomed):
        mirrored = optuna_study(mirror, study_id, make_spec(), load_if_exists=False)
        trial = optuna.trial.create_trial(
            values=[0.5, 0.2, 1.0, 1.0][: len(mirrored.directions)],
            params={"x": 1.0},
            distributions={"x": optuna.distributions.FloatDistribution(0, 2)},
            user_attrs={"number": 0},
            intermediate_values={1: 0.5},
        )
        mirrored.add_trial(trial)

    deletion.delete(engine, doomed)
    assert _counts(engine) == before
    assert [study.study_name for study in mirror.get_all_studies()] == [other]
    assert len(optuna.load_study(study_name=other, storage=mirror).trials) == 1
    assert _stored(store) > files
    swept = deletion.sweep(engine, store, tmp_path / "checkpoints", grace_s=0)
    assert (swept.files, swept.waiting) == (3, 0)
    assert _stored(store) == files
    assert deletion.sweep(engine, store, tmp_path / "checkpoints", grace_s=0).files == 0


@pytest.mark.parametrize("state", [StudyState.QUEUED, StudyState.RUNNING, StudyState.PAUSED])
def test_a_study_that_has_not_ended_is_not_deleted(
    state: StudyState, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    study_id = make_study(engine, state)
    with serving(database_url, tmp_path) as client:
        refused = client.delete(f"/studies/{study_id}")
        assert (refused.status_code, "cancel it first" in refused.json()["detail"]) == (409, True)
        assert client.post(f"/studies/{study_id}/cancel").status_code == 200
        assert client.delete(f"/studies/{study_id}").status_code == 204
        assert client.delete(f"/studies/{study_id}").status_code == 204
        gone = client.get(f"/studies/{study_id}")
        assert (gone.status_code, f"study {study_id} ('test') was deleted at" in gone.json()["detail"]) == (404, True)
        assert client.get("/studies").json()["items"] == []
        assert client.delete("/studies/never-there").status_code == 404
        assert client.delete("/studies/test").status_code == 404


def test_the_key_that_deleted_a_study_is_named(engine: Engine, database_url: str, tmp_path: Path) -> None:
    study_id = make_study(engine, StudyState.FAILED)
    _, key = keys.create(engine, "ann")
    with serving(database_url, tmp_path) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.delete(f"/studies/{study_id}").status_code == 204
        assert "with the key 'ann'" in client.get(f"/studies/{study_id}").json()["detail"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from services.database import make_engine
from services.storage.artifacts import ArtifactStore
from services.studies import deletion

class KilledAfterTheFirst(ArtifactStore):
    def remove(self, names):
        super().remove(names)
        os.kill(os.getpid(), signal.SIGKILL)

engine, folder = make_engine(sys.argv[1]), Path(sys.argv[2])
deletion.delete(engine, sys.argv[3])
deletion.sweep(engine, KilledAfterTheFirst(folder / "artifacts"), folder / "checkpoints", grace_s=0)
"""


def test_a_sweep_finishes_what_a_killed_one_began(
    engine: Engine, database_url: str, store: ArtifactStore, tmp_path: Path
) -> None:
    doomed = _with_files(engine, store, StudyState.COMPLETED, b"a", b"b", b"c", b"d")
    (training_id,) = _trainings(engine)
    for name in (training_id, "training_of_others"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    killed = subprocess.run([sys.executable, "-c", _KILLED, database_url, str(tmp_path), doomed])
    assert killed.returncode == -signal.SIGKILL
    assert len(_stored(store)) == 3
    swept = deletion.sweep(engine, store, tmp_path / "checkpoints", grace_s=0)
    assert (swept.files, swept.checkpoints) == (4, 1)
    assert _stored(store) == set()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["training_of_others"]


def test_a_file_that_may_be_about_to_be_named_waits(engine: Engine, store: ArtifactStore, tmp_path: Path) -> None:
    deletion.delete(engine, _with_files(engine, store, StudyState.COMPLETED, b"a", b"b", b"c", b"d"))
    swept = deletion.sweep(engine, store, tmp_path / "checkpoints")
    assert (swept.files, swept.waiting, len(_stored(store))) == (0, 4, 4)
    _with_files(engine, store, StudyState.RUNNING, b"a", b"e", b"f", b"g")
    swept = deletion.sweep(engine, store, tmp_path / "checkpoints", grace_s=0)
    assert (swept.files, swept.waiting) == (3, 0)
    assert _stored(store) == {b"a", b"e", b"f", b"g"}


def test_a_stream_of_events_ends_when_its_study_is_deleted(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.events, "_RECHECK_S", 0.2)
    study_id = make_study(engine, StudyState.CANCELLED)
    with (
        serving(database_url, tmp_path) as client,
        client.stream("GET", f"/studies/{study_id}/events", timeout=20) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("id: ")
        deletion.delete(engine, study_id)
        assert "CANCELLED" in "\n".join(lines)


def test_who_would_learn_from_a_deleted_study_is_told(engine: Engine, store: ArtifactStore) -> None:
    source = make_study(engine, StudyState.COMPLETED, name="source")
    for number in range(6):
        make_trial(engine, source, f1=0.5 + 0.01 * number)
    learner = make_study(engine, StudyState.QUEUED, warm_start=["source"], sampler={"name": "frontier"})
    deletion.delete(engine, source)
    for name in ("source", source):
        with pytest.raises(RejectedError, match=r"warm_start\[0\]: study .* was deleted at .*: leave it out"):
            commands.create(engine, make_spec(warm_start=[name], sampler={"name": "frontier"}))
    recorder = Recorder(engine, store, learner)
    try:
        assert _transfer(recorder) == []
        assert _transfer(recorder) == []
    finally:
        recorder.close()
    with engine.connect() as connection:
        study = studies.get(connection, learner)
    assert study.state is StudyState.RUNNING
    assert study.reason is not None
    assert study.reason.startswith(f"goes on without what it would learn (warm_start): study {source} ('source') was")


def test_what_works_on_a_deleted_study_discards_its_result(engine: Engine, store: ArtifactStore) -> None:
    study_id = _with_files(engine, store, StudyState.COMPLETED, b"a", b"b", b"c", b"d")
    with engine.begin() as connection:
        job = jobs.lease(connection, "token", lease_s=60)
        assert job is not None
        (scoring,) = scorings.list_by_study(connection, study_id)
        scorings.record_submission(connection, scoring.id, 0, 1)
    (training_id,) = _trainings(engine)
    with engine.begin() as connection:
        studies.set_values(connection, study_id, job_id="driver-1")
    deletion.delete(engine, study_id)
    with engine.begin() as connection, pytest.raises(DeletedError):
        life_cycle.hold_job(connection, job, "token")
    with engine.begin() as connection, pytest.raises(NotFoundError):
        life_cycle.fail_training(connection, training_id, "late")
    with engine.begin() as connection:
        assert jobs.waiting(connection) == 0
        assert set(deletions.list_stray_jobs(connection)) == {"driver-1", f"{scoring.id}-1", f"{training_id}-0"}
    assert _counts(engine)["events"] == 0


def test_deleting_never_deadlocks_with_those_who_lease_and_end_jobs(engine: Engine) -> None:
    for _ in range(15):
        study_id = make_study(engine)
        trial_id = make_trial(engine, study_id)
        for number in range(5):
            commands.compress(engine, trial_id, Recipe(name=f"r{number}", steps=()))
        with engine.begin() as connection:
            studies.set_state(connection, study_id, StudyState.COMPLETED)
        failures: list[BaseException] = []
        worker = threading.Thread(target=_work, args=(engine, failures))
        worker.start()
        deletion.delete(engine, study_id)
        worker.join()
        assert failures == []
    assert not any(_counts(engine).values())


def _work(engine: Engine, failures: list[BaseException]) -> None:
    """Lease jobs and end them, as a pool does, until there are none."""
    try:
        while True:
            with engine.begin() as connection:
                job = jobs.lease(connection, "token", lease_s=60)
            if job is None:
                return
            try:
                with engine.begin() as connection:
                    life_cycle.hold_job(connection, job, "token")
                    life_cycle.end_job(connection, job, JobState.FAILED, reason="for a test")
            except (DeletedError, LeaseLostError, ConflictError):
                return
    except BaseException as error:  # the test shows it
        failures.append(error)


def test_the_command_asks_at_a_terminal_and_nowhere_else(engine: Engine, database_url: str, tmp_path: Path) -> None:
    study_id = make_study(engine, StudyState.CANCELLED)
    with serving(database_url, tmp_path) as client:
        unasked = _command(str(client.base_url), study_id, stdin=subprocess.DEVNULL)
        assert (unasked.returncode, "give --yes" in unasked.stderr) == (1, True)
        refused = _answered(str(client.base_url), study_id, b"n\n")
        assert (refused.returncode, "nothing was deleted" in refused.stderr) == (1, True)
        assert f"Delete study {study_id} (test), 0 trials" in refused.stderr
        assert client.get(f"/studies/{study_id}").status_code == 200
        assert _answered(str(client.base_url), study_id, b"y\n").stdout.strip() == f"deleted study {study_id}"
        assert client.get(f"/studies/{study_id}").status_code == 404
        again = _command(str(client.base_url), study_id, "--yes", "--format", "json", stdin=subprocess.DEVNULL)
        assert again.returncode == 0, again.stderr


def _command(url: str, *arguments: str, stdin: int) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("seedleaf")), "study", "delete", *arguments]
    environment = {**os.environ, "SEEDLEAF_URL": url}
    return subprocess.run(command, env=environment, stdin=stdin, capture_output=True, text=True, timeout=60)


def _answered(url: str, study_id: str, answer: bytes) -> "subprocess.CompletedProcess[str]":
    ours, terminal = pty.openpty()
    try:
        os.write(ours, answer)
        return _command(url, study_id, stdin=terminal)
    finally:
        os.close(ours)
        os.close(terminal)


def _trainings(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(tables.trainings.c.id)).scalars())
