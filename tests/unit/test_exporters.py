"""A study written for other tools, and read again by those tools themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
import yaml
from typer.testing import CliRunner

from api.cli.documents import read_spec
from api.cli.main import app
from api.exporters.optuna_points import best_points
from seedleaf import Client, SourceError
from tests.unit.scripted_server import Answer, ScriptedServer, scripted_server
from tests.unit.search_studies import CLASSES, tiny_spec

_NOW = "2026-01-01T00:00:00Z"
_LATER = "2026-01-01T00:00:09Z"
_ASSIGNMENT = {"width": 16, "conv.block": "DWConv"}
_CANDIDATE = {
    "architecture": {"backbone": [[1, "Conv", [8, 3, 2]], [1, "GlobalAvgPool", []], [1, "FixedConv", [10]]]},
    "image_size": 16,
    "batch_size": 32,
    "learning_rate": 0.1,
    "optimizer": "sgd",
}
_STUDY: dict[str, Any] = {
    **dict.fromkeys(("reason", "job", "dataset_id", "skipped", "started_at", "finished_at")),
    "id": "study_1",
    "name": "beans",
    "state": "COMPLETED",
    "spec": tiny_spec(constraints=[{"metric": "params", "max": 100}]).model_dump(mode="json"),
    "classes": [str(number) for number in range(CLASSES)],
    "phase": None,
    "progress": {"finished": 2, "total": 2, "best_f1": 0.5, "least_latency_ms": None, "compression": {}},
    "resources": None,
    "search_elapsed_s": 9.0,
    "created_at": _NOW,
    "last_event_id": 7,
}


def _trial(number: int, state: str, **changes: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(("reason", "host", "best_variant", "layers", "per_class_f1", "confusion")),
        "id": f"trial_{number}",
        "study_id": "study_1",
        "number": number,
        "state": state,
        "candidate": _CANDIDATE,
        "assignment": _ASSIGNMENT,
        "role": None,
        "artifacts": [],
        "epochs": [],
        "compression": [],
        "recipe_searches": [],
        "trainings": [],
        "created_at": _NOW,
        "finished_at": _LATER,
        **changes,
    }


_EPOCHS = [
    {"epoch": epoch, "loss": 1 / epoch, "f1": epoch / 4, "accuracy": 0.5, "elapsed_s": epoch} for epoch in (1, 2)
]
_COMPLETED = _trial(0, "COMPLETED", metrics={"f1": 0.5, "macs": 48.0, "params": 48.0}, epochs=_EPOCHS)
_INFEASIBLE = _trial(1, "INFEASIBLE", metrics={"macs": 480.0, "params": 150.0}, reason="params 150 is above 100")
_RUNNING = _trial(2, "RUNNING", metrics={})


def _json(value: Any) -> Answer:
    return Answer(body=json.dumps(value).encode())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    page = {"items": [_COMPLETED, _INFEASIBLE, _RUNNING], "next": None}
    with scripted_server([_json(item) for item in (_STUDY, page, _COMPLETED, _INFEASIBLE, _STUDY)]) as server:
        monkeypatch.setenv("SEEDLEAF_URL", server.url)
        yield server


def _export(to: str, out: str, *options: str) -> None:
    command = ["study", "export", "study_1", "--to", to, "--out", out, *options]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, f"2 trials of study study_1 are in {out}\n")


def _asked(application: Any, path: str) -> Any:
    """What a WSGI application answers."""
    environment: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environment)
    return json.loads(b"".join(application(environment, lambda *answer: None)))


def test_a_journal_holds_the_study_as_optuna_knows_it(server: ScriptedServer, tmp_path: Path) -> None:
    _export("optuna-journal", str(tmp_path / "study.log"))
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
    study = optuna.load_study(study_name="study_1", storage=optuna.storages.JournalStorage(backend))
    completed, infeasible = study.get_trials()
    assert study.metric_names == ["f1", "macs"]
    assert (completed.values, completed.params) == ([0.5, 48.0], _ASSIGNMENT)
    assert infeasible.state is optuna.trial.TrialState.PRUNED
    assert [trial.number for trial in study.best_trials] == [0]


def test_live_each_trial_that_ends_is_written_once_until_the_study_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = {**_STUDY, "state": "RUNNING"}
    page = {"items": [_COMPLETED], "next": None}
    told: list[dict[str, str | None]] = [
        {"kind": "trial", "trial_id": "trial_0", "state": "COMPLETED"},
        {"kind": "trial", "trial_id": "trial_1", "state": "RUNNING"},
        {"kind": "trial", "trial_id": "trial_1", "state": "INFEASIBLE"},
        {"kind": "study", "trial_id": None, "state": "COMPLETED"},
    ]
    events = "".join(
        f"id: {8 + place}\ndata: {json.dumps({**data, 'at': _NOW})}\n\n" for place, data in enumerate(told)
    )
    answers = [
        *map(_json, (running, page, _COMPLETED)),
        Answer(body=events.encode()),
        *map(_json, (_INFEASIBLE, _STUDY)),
    ]
    with scripted_server(answers) as server:
        monkeypatch.setenv("SEEDLEAF_URL", server.url)
        _export("optuna-journal", str(tmp_path / "study.log"), "--live")
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
    study = optuna.load_study(study_name="study_1", storage=optuna.storages.JournalStorage(backend))
    assert [trial.user_attrs["number"] for trial in study.get_trials()] == [0, 1]


def test_optuna_dashboard_shows_which_trials_keep_to_the_limits(server: ScriptedServer, tmp_path: Path) -> None:
    import optuna_dashboard

    _export("optuna-sqlite", str(tmp_path / "study.db"))
    dashboard = optuna_dashboard.wsgi(optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'study.db'}"))
    (listed,) = _asked(dashboard, "/api/studies")["study_summaries"]
    shown = _asked(dashboard, f"/api/studies/{listed['study_id']}")
    assert [trial["constraints"] for trial in shown["trials"]] == [[pytest.approx(-0.52)], [pytest.approx(0.5)]]
    assert shown["objective_names"] == ["f1", "macs"]


def test_a_study_is_written_to_one_file_once(server: ScriptedServer, tmp_path: Path) -> None:
    from api.client.resources import Study
    from api.exporters.optuna_files import sqlite
    from seedleaf import SeedleafError

    with Client(server.url) as client:
        study: Study = client.get_study("study_1")
    sqlite(study, str(tmp_path / "study.db"))
    with pytest.raises(SeedleafError, match="in that file already"):
        sqlite(study, str(tmp_path / "study.db"))
    with pytest.raises(SeedleafError, match="no folder"):
        sqlite(study, str(tmp_path / "nowhere" / "study.db"))


# MLflow's own, on SQLAlchemy 2.1.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
def test_mlflow_has_a_run_a_trial_under_the_study(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    _export("mlflow", uri)
    tracking = mlflow.MlflowClient(uri)
    runs = {
        run.info.run_name: run
        for run in tracking.search_runs([tracking.get_experiment_by_name("seedleaf").experiment_id])
    }
    assert {name: run.info.status for name, run in runs.items()} == {
        "beans": "FINISHED",
        "trial 0": "FINISHED",
        "trial 1": "FAILED",
    }
    trial = runs["trial 0"]
    assert trial.data.tags["mlflow.parentRunId"] == runs["beans"].info.run_id
    assert trial.data.params == {name: str(value) for name, value in _ASSIGNMENT.items()}
    assert trial.data.metrics["params"] == 48.0
    assert [point.value for point in tracking.get_metric_history(trial.info.run_id, "epoch.f1")] == [0.25, 0.5]
    assert runs["trial 1"].data.tags["seedleaf.reason"] == "params 150 is above 100"


def test_tensorboard_has_a_folder_a_trial_with_its_curve(server: ScriptedServer, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    _export("tensorboard", str(tmp_path))
    assert sorted(path.name for path in (tmp_path / "study_1").iterdir()) == ["trial-00000", "trial-00001"]
    events = accumulators.EventAccumulator(str(tmp_path / "study_1" / "trial-00000")).Reload()
    assert [(point.step, point.value) for point in events.Scalars("epoch/f1")] == [(1, 0.25), (2, 0.5)]


def _optuna_study(url: str) -> None:
    """Widths and kernels of the tiny space; the best f1 breaks a constraint."""
    study = optuna.create_study(storage=url, study_name="mine", directions=["maximize", "minimize"])
    trials = ((8, [0.5, 1.0], 0.0), (16, [0.4, 2.0], 0.0), (24, [0.6, 2.0], -1.0), (32, [0.9, 1.0], 1.0))
    for width, values, violation in trials:
        study.add_trial(
            optuna.trial.create_trial(
                params={"width": width, "conv.block": "DWConv"},
                distributions={
                    "width": optuna.distributions.CategoricalDistribution((8, 16, 24, 32)),
                    "conv.block": optuna.distributions.CategoricalDistribution(("DWConv", "Conv")),
                },
                values=values,
                system_attrs={"constraints": [violation]},
            )
        )


def test_the_best_points_of_an_optuna_study_are_tried_first(tmp_path: Path) -> None:
    url, spec, out = f"sqlite:///{tmp_path / 'mine.db'}", tmp_path / "spec.yaml", tmp_path / "warm.yaml"
    _optuna_study(url)
    spec.write_text(yaml.safe_dump(tiny_spec().model_dump(mode="json", exclude={"enqueue"})))
    arguments = ["study", "import", str(tmp_path / "mine.db"), str(spec), "--out", str(out), "--points", "3"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert (done.exit_code, done.stdout.split(":")[0]) == (0, f"wrote {out}, which tries 3 points first")
    assert [point["width"] for point in read_spec(out).first_points] == [8, 24, 16]


def test_a_storage_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no journal")
    for storage, complaint in (("nowhere.db", "No such file"), ("notes.txt", "holds no Optuna study")):
        with pytest.raises(SourceError, match=complaint):
            best_points(str(tmp_path / storage), None, 5)
    _optuna_study(f"sqlite:///{tmp_path / 'mine.db'}")
    with pytest.raises(SourceError, match="no study 'yours', by --study; there are mine"):
        best_points(str(tmp_path / "mine.db"), "yours", 5)
