"""What the client returns acts: a study is waited for, a variant is downloaded, tables become data frames."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from seedleaf import Client, NotCompletedError, TargetError
from tests.unit.scripted_server import Answer, ScriptedServer, scripted_server

pandas = pytest.importorskip("pandas")

_NOW = "2026-01-01T00:00:00Z"
_CANDIDATE = {
    "architecture": {"backbone": [[1, "Conv", [8, 3, 2]], [1, "GlobalAvgPool", []], [1, "FixedConv", [10]]]},
    "image_size": 16,
    "batch_size": 32,
    "learning_rate": 0.1,
    "optimizer": "sgd",
}
_CONTENT = b"a model"


_FRONT: dict[str, Any] = {"items": [], "hypervolume": 0.0, "reference": {}, "variants": [], "recommended": None}


def _study(state: str, **changes: Any) -> dict[str, Any]:
    fields = ("reason", "job", "dataset_id", "classes", "skipped", "started_at", "finished_at")
    return {
        **dict.fromkeys(fields),
        "id": "study_1",
        "name": "<b>mine</b>",
        "state": state,
        "spec": {"name": "mine", "dataset": {"source": "sklearn"}, "budget": {"max_trials": 1, "epochs": 1}},
        "phase": "SEARCH",
        "progress": {"finished": 0, "total": 1, "best_f1": None, "least_latency_ms": None, "compression": {}},
        "resources": None,
        "search_elapsed_s": 0.0,
        "created_at": _NOW,
        "last_event_id": 4,
        **changes,
    }


def _variant() -> dict[str, Any]:
    artifact = {"id": "artifact_1", "kind": "onnx", "sha256": hashlib.sha256(_CONTENT).hexdigest(), "size_bytes": 7}
    return {
        "id": "variant_1",
        "trial_id": "trial_1",
        "trial_number": 7,
        "study_id": "study_1",
        "recipe": "fp32",
        "steps": [],
        "runtime": "onnxruntime",
        "host": "CPU, 2 cores, onnxruntime 1.0, 1 thread",
        "metrics": {"f1": 0.9, "latency_ms": 0.1},
        "parity_error": 0.0,
        "agreement": 1.0,
        "latency": {},
        "artifacts": [artifact],
        "created_at": _NOW,
    }


def _trial(**changes: Any) -> dict[str, Any]:
    return {
        "id": "trial_1",
        "study_id": "study_1",
        "number": 7,
        "state": "COMPLETED",
        "reason": None,
        "candidate": _CANDIDATE,
        "assignment": {"width": 8},
        "role": None,
        "metrics": {"f1": 0.9},
        "host": None,
        "best_variant": _variant(),
        "created_at": _NOW,
        "finished_at": _NOW,
        **changes,
    }


def _json(value: Any) -> Answer:
    return Answer(body=json.dumps(value).encode())


def _page(*items: dict[str, Any]) -> Answer:
    return _json({"items": items, "next": None})


def _event(number: int, state: str) -> Answer:
    return _events({"id": number, "kind": "study", "state": state, "reason": None})


def _events(*events: dict[str, Any]) -> Answer:
    common = {"trial_id": None, "at": _NOW}
    lines = [f"id: {event.pop('id')}\ndata: {json.dumps({**common, **event})}\n\n" for event in events]
    return Answer(body="".join(lines).encode())


def _training(state: str, **changes: Any) -> dict[str, Any]:
    ids = {"id": "training_1", "trial_id": "trial_1", "study_id": "study_1"}
    nothing = dict.fromkeys(("reason", "f1", "f1_deviation", "finished_at"))
    return {
        **ids,
        **nothing,
        "epochs": 2,
        "seeds": 1,
        "state": state,
        "created_at": _NOW,
        "runs": [],
        "curves": [],
        **changes,
    }


def _asked(server: ScriptedServer) -> list[str]:
    return [asked.path for asked in server.asked]


def test_a_study_is_waited_for_by_the_events_after_what_is_known_of_it() -> None:
    answers = [_json(_study("RUNNING")), _json(_study("RUNNING")), _event(5, "COMPLETED"), _json(_study("COMPLETED"))]
    with scripted_server(answers) as server, Client(server.url) as client:
        study = client.get_study("study_1")
        assert study.wait() is study
        assert study.state == "COMPLETED"
    assert _asked(server)[2] == "/studies/study_1/events"
    assert server.asked[2].headers["Last-Event-ID"] == "4"


def test_waiting_with_progress_tells_the_whole_story(capsys: pytest.CaptureFixture[str]) -> None:
    answers = [_json(_study("RUNNING")), _json(_study("RUNNING")), _event(5, "COMPLETED"), _json(_study("COMPLETED"))]
    with scripted_server(answers) as server, Client(server.url) as client:
        client.get_study("study_1").wait(progress=True)
    assert server.asked[2].headers["Last-Event-ID"] == "0"
    assert capsys.readouterr().out == "study COMPLETED\n"


def test_waiting_for_a_study_that_failed_raises_its_reason() -> None:
    with scripted_server([_json(_study("FAILED", reason="no image"))]) as server, Client(server.url) as client:
        study = client.get_study("study_1")
        with pytest.raises(NotCompletedError, match="study_1 is FAILED: no image"):
            study.wait()
    assert study.reason == "no image"


def test_a_training_is_followed_by_its_own_events(capsys: pytest.CaptureFixture[str]) -> None:
    epoch = {"kind": "training_epoch", "seed": 0, "loss": 1.0, "accuracy": 0.5, "elapsed_s": 1.0}
    events = _events(
        {"id": 5, "kind": "training", "training_id": "another", "state": "COMPLETED"},
        {"id": 6, **epoch, "training_id": "training_1", "epoch": 1, "f1": 0.25},
        {"id": 7, **epoch, "training_id": "training_1", "epoch": 2, "f1": 0.5},
        {"id": 8, "kind": "training", "training_id": "training_1", "state": "COMPLETED"},
    )
    started, ended = _json(_training("RUNNING")), _json(_training("COMPLETED", f1=0.5, f1_deviation=0.0))
    answers = [started, _json(_study("COMPLETED")), started, events, ended]
    with scripted_server(answers) as server, Client(server.url) as client:
        assert client.get_training("training_1").wait(progress=True).f1 == 0.5
    assert server.asked[3].headers["Last-Event-ID"] == "4"
    assert capsys.readouterr().out.splitlines() == [
        "seed 0, epoch 1/2: f1 0.250, best 0.250",
        "seed 0, epoch 2/2: f1 0.500, best 0.500",
        "training COMPLETED",
    ]


def test_a_training_that_failed_raises_its_reason() -> None:
    failed = _json(_training("FAILED", reason="out of memory"))
    with scripted_server([failed, _json(_study("COMPLETED")), failed]) as server, Client(server.url) as client:
        training = client.get_training("training_1")
        with pytest.raises(NotCompletedError, match="training_1 is FAILED: out of memory"):
            training.wait()


def test_what_hangs_below_an_answer_knows_the_client_too() -> None:
    in_full = {**_variant(), "training_id": None, "per_class_f1": None, "confusion": [[1]]}
    with scripted_server([_page(_trial()), _json(in_full)]) as server, Client(server.url) as client:
        (trial,) = client.iter_trials()
        assert trial.best_variant is not None
        assert trial.best_variant.refresh().confusion == [[1]]
    assert _asked(server)[1] == "/variants/variant_1"


def test_a_folder_that_exists_is_not_downloaded_into(tmp_path: Path) -> None:
    with scripted_server([_page(_trial())]) as server, Client(server.url) as client:
        (trial,) = client.iter_trials()
        assert trial.best_variant is not None
        with pytest.raises(TargetError, match="exists already"):
            trial.best_variant.download(tmp_path)
    assert len(server.asked) == 1


def test_trials_and_variants_become_data_frames_with_units_in_their_names() -> None:
    pages = [_json(_study("RUNNING")), _page(_trial()), _json(_FRONT), _page(_variant())]
    with scripted_server(pages) as server, Client(server.url) as client:
        study = client.get_study("study_1")
        trials, variants = study.trials().to_pandas(), study.variants().to_pandas()
    assert trials.loc[0, ["rank", "number", "f1", "choice.width"]].tolist() == [1, 7, 0.9, 8]
    assert variants.loc[0, ["trial_number", "recipe", "latency_ms"]].tolist() == [7, "fp32", 0.1]


def test_a_notebook_shows_tables_whose_texts_are_escaped() -> None:
    front = {**_FRONT, "items": [_trial(reason="<script>", best_variant=None)], "hypervolume": 0.5}
    with scripted_server([_json(_study("RUNNING")), _json(front)]) as server, Client(server.url) as client:
        study = client.get_study("study_1")
        shown = study._repr_html_() + study.front()._repr_html_()
    assert "&lt;b&gt;mine&lt;/b&gt;" in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert "hypervolume 0.5" in shown
