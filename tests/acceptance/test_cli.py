"""The command line as its user types it, against a real server."""

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import yaml

from seedleaf import Client, StudyEvent
from tests.acceptance.studies import tiny_study
from tests.server import Server, wait_for

_SEEDLEAF = str(Path(sys.executable).with_name("seedleaf"))


def _environment(server: Server) -> dict[str, str]:
    return {**os.environ, "SEEDLEAF_URL": server.url}


def _seedleaf(server: Server, *arguments: str, code: int = 0) -> str:
    """Run a command that ends with ``code``; what it printed, or where it failed what it complained about."""
    done = subprocess.run(
        [_SEEDLEAF, *arguments], env=_environment(server), capture_output=True, text=True, timeout=900
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def _listed(server: Server, *arguments: str) -> list[dict[str, Any]]:
    listing: list[dict[str, Any]] = json.loads(_seedleaf(server, *arguments, "--format", "json"))
    return listing


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("specs") / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny_study()))
    return path


@pytest.fixture(scope="module")
def watched(server: Server, spec: Path) -> list[str]:
    """What ``study create --watch`` printed, by line."""
    return _seedleaf(server, "study", "create", str(spec), "--watch").splitlines()


@pytest.fixture(scope="module")
def study_id(watched: list[str]) -> str:
    return watched[0].removeprefix("created study ")


def test_watching_tells_of_every_trial_and_job_and_shows_the_leaderboard(watched: list[str]) -> None:
    text = "\n".join(watched)
    for told in ("study RUNNING", "[1/3] trial ", "[3/3] trial ", "[2/2] ", "study COMPLETED", "best variant"):
        assert told in text


def test_a_study_can_be_watched_again_after_its_end(server: Server, watched: list[str], study_id: str) -> None:
    again = _seedleaf(server, "study", "watch", study_id).splitlines()
    assert again == watched[1:]


def test_studies_are_listed_and_shown(server: Server, study_id: str) -> None:
    (study,) = [study for study in _listed(server, "study", "list") if study["id"] == study_id]
    assert study == json.loads(_seedleaf(server, "study", "show", study_id, "--format", "json"))
    assert study_id in _seedleaf(server, "study", "list")
    assert "trials            3/3" in _seedleaf(server, "study", "show", study_id)


def test_the_leaderboard_is_best_first_by_any_metric(server: Server, study_id: str) -> None:
    f1 = [trial["metrics"]["f1"] for trial in _listed(server, "leaderboard", study_id, "--sort", "f1")]
    latency_ms = [
        trial["metrics"]["latency_ms"] for trial in _listed(server, "leaderboard", study_id, "--sort", "latency_ms")
    ]
    assert f1 == sorted(f1, reverse=True)
    assert latency_ms == sorted(latency_ms)


def test_the_leaderboard_is_filtered(server: Server, study_id: str) -> None:
    trials = _listed(server, "leaderboard", study_id)
    least = min(trial["metrics"]["params"] for trial in trials)
    found = _listed(server, "leaderboard", study_id, "--where", f"params<={least}", "--where", "f1>=0")
    assert [trial["id"] for trial in found] == [trial["id"] for trial in trials if trial["metrics"]["params"] == least]
    complaint = _seedleaf(server, "leaderboard", study_id, "--where", "speed>=1", code=1)
    assert complaint.startswith("seedleaf: where: this listing has no 'speed' to filter by; known: f1")


def test_a_filtered_variant_is_compared_with_its_eager_network_all_the_same(server: Server, study_id: str) -> None:
    variants = _listed(server, "leaderboard", study_id, "--variants")
    fastest = min(variant["metrics"]["latency_ms"] for variant in variants)
    where = ("--where", f"latency_ms<={fastest}")
    text = _seedleaf(server, "leaderboard", study_id, "--variants", *where, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert "torch" not in {row["runtime"] for row in rows}
    assert all(float(row["versus_eager"]) > 1 for row in rows)


def test_the_leaderboard_is_a_table_or_csv_too(server: Server, study_id: str) -> None:
    trials = _listed(server, "leaderboard", study_id)
    rows = list(csv.DictReader(io.StringIO(_seedleaf(server, "leaderboard", study_id, "--format", "csv"))))
    assert [(row["id"], float(row["latency_ms"])) for row in rows] == [
        (trial["id"], trial["metrics"]["latency_ms"]) for trial in trials
    ]
    table = _seedleaf(server, "leaderboard", study_id)
    assert all(trial["id"] in table for trial in trials)
    assert trials[0]["host"] in table.splitlines()[-2]


def test_variants_are_listed_with_their_gain(server: Server, study_id: str) -> None:
    text = _seedleaf(server, "leaderboard", study_id, "--variants", "--format", "csv")
    rows = {(row["recipe"], row["runtime"]): row for row in csv.DictReader(io.StringIO(text))}
    assert rows.keys() == {("fp32", "onnxruntime"), ("fp32", "torch"), ("static-int8", "onnxruntime")}
    assert float(rows["fp32", "torch"]["versus_eager"]) == 1
    assert float(rows["fp32", "onnxruntime"]["versus_eager"]) > 1
    assert "vs eager" in _seedleaf(server, "leaderboard", study_id, "--variants")


def test_a_fetched_variant_is_a_folder_that_explains_itself(server: Server, study_id: str, tmp_path: Path) -> None:
    variant = next(
        variant
        for variant in _listed(server, "leaderboard", study_id, "--variants")
        if variant["recipe"] == "static-int8"
    )
    out = tmp_path / "new" / "model"
    _seedleaf(server, "fetch", variant["id"], "--out", str(out))
    texts = {"README.md", "model.yaml", "study.yaml", "labels.json", "preprocessing.json", "predict.py"}
    plots = {"front.png", "confusion.png", "learning.png"}
    models = {"model.onnx", "weights.safetensors"}
    assert {path.name for path in out.iterdir()} - {"model.pt2"} == models | texts | plots
    assert list(out.parent.iterdir()) == [out]
    content = (out / "model.onnx").read_bytes()
    sha256 = {artifact["kind"]: artifact["sha256"] for artifact in variant["artifacts"]}
    assert hashlib.sha256(content).hexdigest() == sha256["onnx"]
    assert onnxruntime.InferenceSession(content).get_inputs()[0].shape == [1, 3, 16, 16]
    architecture = yaml.safe_load((out / "model.yaml").read_text())
    assert architecture["INPUT_SIZE"] == 16
    assert architecture["backbone"][-1] == [1, "FixedConv", [10]]
    assert sha256["onnx"] in (out / "README.md").read_text()


def test_the_program_of_a_studys_best_model_predicts_what_infer_predicts(
    server: Server, study_id: str, tmp_path: Path, shared_data: Path
) -> None:
    out, images, table = tmp_path / "model", tmp_path / "images", tmp_path / "predictions.csv"
    _seedleaf(server, "fetch", study_id, "--out", str(out))
    images.mkdir()
    for path in sorted((shared_data / "trashnet").rglob("*.jpg"))[::400]:
        shutil.copy(path, images)
    _seedleaf(server, "infer", str(out / "model.onnx"), str(images), "--out", str(table))
    ours = {row["image"]: row["class"] for row in csv.DictReader(io.StringIO(table.read_text()))}
    command = [sys.executable, str(out / "predict.py"), *map(str, images.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
    theirs = [line.split("\t") for line in done.stdout.splitlines()]
    assert {Path(name).name: label for name, label, _ in theirs} == ours
    with Client(server.url) as client:
        recommended = client.get_front(study_id).recommended
        assert recommended is not None
        assert recommended in (out / "README.md").read_text()


def test_a_variant_that_is_not_there_leaves_no_folder(server: Server, tmp_path: Path) -> None:
    complaint = _seedleaf(server, "fetch", "variant_none", "--out", str(tmp_path / "model"), code=1)
    assert complaint.startswith("seedleaf: there is no variant and no study 'variant_none'")
    assert list(tmp_path.iterdir()) == []


def test_one_more_recipe_of_ones_own_becomes_a_variant_and_learns_from_the_studys_best(
    server: Server, study_id: str, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("name: mine\nsteps: [{technique: distillation, epochs: 1}]\n")
    trial_id = _listed(server, "leaderboard", study_id)[0]["id"]
    assert "is QUEUED" in _seedleaf(server, "compress", trial_id, "--recipe", str(recipe))
    with Client(server.url) as client:
        wait_for(
            lambda: "mine" in {variant.recipe for variant in client.iter_variants(trial_id=trial_id)},
            timeout_s=240,
            what="the variant of one's own recipe",
        )


def test_a_recipe_that_does_not_apply_says_so_and_makes_no_variant(server: Server, study_id: str) -> None:
    trial_id = _listed(server, "leaderboard", study_id)[0]["id"]
    _seedleaf(server, "compress", trial_id, "--recipe", "dynamic-int8")

    def reason(client: Client) -> str | None:
        jobs = {job.recipe.name: job for job in client.get_trial(trial_id).compression}
        return jobs["dynamic-int8"].reason

    with Client(server.url) as client:
        told = wait_for(lambda: reason(client), timeout_s=240, what="the recipe's end")
        assert "dynamic int8 treats linear layers (MatMul, Gemm); the network has none" in told
        assert "dynamic-int8" not in {variant.recipe for variant in client.iter_variants(trial_id=trial_id)}


def test_an_unknown_recipe_is_refused_with_those_that_are_known(server: Server, study_id: str) -> None:
    trial_id = _listed(server, "leaderboard", study_id)[0]["id"]
    assert "structured-static-int8" in _seedleaf(server, "compress", trial_id, "--recipe", "magic", code=1)


def test_a_path_that_the_server_cannot_read_is_told(server: Server, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("name: a\ndataset: {source: folder, path: /nowhere}\n")
    complaint = _seedleaf(server, "study", "create", str(spec), code=1)
    assert complaint.startswith("seedleaf: dataset.path: ")
    assert len(complaint.splitlines()) == 1


def test_a_study_that_fails_ends_its_watch_with_1_and_the_reason(server: Server, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(tiny_study(dataset={"source": "folder", "path": str(tmp_path / "empty")})))
    complaint = _seedleaf(server, "study", "create", str(spec), "--watch", code=1)
    assert "FAILED: dataset: " in complaint


def test_a_study_is_paused_resumed_extended_and_cancelled(server: Server, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(tiny_study(budget={"max_trials": 500, "epochs": 1})))
    study_id = _seedleaf(server, "study", "create", str(spec)).split()[-1]
    assert "PAUSED" in _seedleaf(server, "study", "pause", study_id)
    assert "QUEUED" in _seedleaf(server, "study", "resume", study_id)
    assert "of 600 trials" in _seedleaf(server, "study", "extend", study_id, "--trials", "600")
    assert "CANCELLED" in _seedleaf(server, "study", "cancel", study_id)
    assert "it cannot become PAUSED" in _seedleaf(server, "study", "pause", study_id, code=1)


def test_ctrl_c_stops_the_watching_and_not_the_study(server: Server, spec: Path) -> None:
    command = [_SEEDLEAF, "study", "create", str(spec), "--watch"]
    with subprocess.Popen(
        command, env=_environment(server), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        study_id = process.stdout.readline().split()[-1]
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"study {study_id} goes on" in complaint
    assert f"seedleaf study watch {study_id}" in complaint
    with Client(server.url) as client:
        assert client.cancel_study(study_id).id == study_id


def test_the_client_reads_events_with_their_times_and_goes_on_after_any(server: Server, study_id: str) -> None:
    with Client(server.url) as client:
        first = _events(client, study_id, count=4)
        rest = _events(client, study_id, count=2, after=first[1].id)
    assert [event.kind for event in first[:2]] == ["study", "study"]
    assert [event.id for event in rest] == [event.id for event in first[2:]]
    assert all(event.at.tzinfo is not None for event in first)


def _events(client: Client, study_id: str, *, count: int, after: int = 0) -> list[StudyEvent]:
    stream = client.stream_events(study_id, after=after)
    received = [next(stream) for _ in range(count)]
    stream.close()
    return received
