"""The main job over HTTP, from a posted study to a downloaded model; and every way to say no."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import onnxruntime
import pytest
from PIL import Image

from tests.acceptance.studies import NO_COMPRESSION, get_study, post_study, tiny_study, trials_of, wait_until_ended
from tests.server import Server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def finished_study(server: Server) -> str:
    with server.client() as client:
        study_id = post_study(
            client,
            space={**tiny_study()["space"], "augmentation": {"fixed": {"operations": [{"name": "Rotate"}]}}},
            resources="auto",
            retrain={"top": 1, "seeds": 2, "epochs": 2},
            more_targets=[{"threads": 2}],
        )
        study = wait_until_ended(client, study_id)
    assert study["state"] == "COMPLETED", study["reason"]
    return study_id


def test_a_study_ends_with_every_trial_measured(client: httpx.Client, finished_study: str) -> None:
    study = get_study(client, finished_study)
    assert study["progress"]["finished"] == study["progress"]["total"] == 3
    assert study["progress"]["compression"] == {"COMPLETED": 2}
    assert study["spec"]["resources"]["auto"]
    cores = sum(node["resources"]["CPU"]["total"] for node in client.get("/cluster").json()["nodes"])
    assert study["resources"]["concurrency"] == cores
    assert study["classes"] == [str(digit) for digit in range(10)]
    trials = trials_of(client, finished_study)
    assert [trial["state"] for trial in trials] == ["COMPLETED"] * 3
    wanted = {"f1", "accuracy", "macs", "params", "size_bytes", "latency_ms", "latency_p90_ms", "score"}
    for trial in trials:
        assert wanted <= set(trial["metrics"])
        assert (
            trial["metrics"]["latency_low_ms"] <= trial["metrics"]["latency_ms"] <= trial["metrics"]["latency_high_ms"]
        )
        detail = client.get(f"/trials/{trial['id']}").json()
        assert [epoch["epoch"] for epoch in detail["epochs"]] == [1]
        files = {
            artifact["kind"]: client.get(f"/artifacts/{artifact['id']}").content for artifact in detail["artifacts"]
        }
        assert files.keys() == {"weights", "augmentation"}
        assert files["augmentation"].startswith(b"\xff\xd8")
        layers = detail["layers"]
        assert len(layers) == len(trial["candidate"]["architecture"]["backbone"])
        assert layers[-1]["shape"] == [10, 1, 1]
        for cost in ("macs", "params"):
            assert sum(layer[cost] for layer in layers) == trial["metrics"][cost]
    scores = [trial["metrics"]["score"] for trial in trials]
    assert scores == sorted(scores)
    assert sum(trial["best_variant"] is not None for trial in trials) == 1


def test_the_best_is_trained_in_full_with_its_spread_before_it_is_compressed(
    client: httpx.Client, finished_study: str
) -> None:
    best = client.get("/trials", params={"study_id": finished_study, "sort": "retrained_f1", "order": "desc"}).json()
    trial = client.get(f"/trials/{best['items'][0]['id']}").json()
    (training,) = trial["trainings"]
    assert (training["state"], training["epochs"], training["seeds"]) == ("COMPLETED", 2, 2)
    assert trial["metrics"]["retrained_f1"] == training["f1"]
    detail = client.get(f"/trainings/{training['id']}").json()
    assert sum(run["f1"] for run in detail["runs"]) / 2 == pytest.approx(training["f1"])
    assert [(epoch["seed"], epoch["epoch"]) for epoch in detail["curves"]] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    for scored in (trial, *detail["runs"]):
        assert len(scored["per_class_f1"]) == 10
        assert sum(map(sum, scored["confusion"])) == 306
    assert trial["best_variant"] is not None


def test_a_variant_is_a_model_that_runs_anywhere_with_its_sha256_as_etag(
    client: httpx.Client, finished_study: str
) -> None:
    page = client.get("/variants", params={"study_id": finished_study, "runtime": "onnxruntime"}).json()
    assert {variant["recipe"] for variant in page["items"]} == {"fp32", "static-int8"}
    for variant in page["items"]:
        files = {artifact["kind"]: artifact for artifact in variant["artifacts"]}
        assert files.keys() >= {"onnx", "weights"}
        artifact = files["onnx"]
        answer = client.get(f"/artifacts/{artifact['id']}")
        assert hashlib.sha256(answer.content).hexdigest() == artifact["sha256"]
        assert len(answer.content) == artifact["size_bytes"] == variant["metrics"]["size_bytes"]
        assert answer.headers["etag"] == f'"{artifact["sha256"]}"'
        again = client.get(f"/artifacts/{artifact['id']}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        session = onnxruntime.InferenceSession(answer.content)
        (logits,) = session.run(None, {"images": np.zeros((1, 3, 16, 16), np.float32)})
        assert logits.shape == (1, 10)


def test_a_variant_has_the_scores_by_class_of_its_file(client: httpx.Client, finished_study: str) -> None:
    for item in client.get("/variants", params={"study_id": finished_study}).json()["items"]:
        variant = client.get(f"/variants/{item['id']}").json()
        assert sum(map(sum, variant["confusion"])) == 306
        assert sum(variant["per_class_f1"]) / 10 == pytest.approx(variant["metrics"]["f1"])


def test_the_eager_network_is_on_the_list_and_slower_than_its_file(client: httpx.Client, finished_study: str) -> None:
    items = client.get("/variants", params={"study_id": finished_study, "sort": "latency_ms"}).json()["items"]
    assert [item["runtime"] for item in items][-1] == "torch"
    assert items[0]["metrics"]["latency_ms"] < items[-1]["metrics"]["latency_ms"]


def test_every_recipe_is_timed_on_every_target(client: httpx.Client, finished_study: str) -> None:
    items = client.get("/variants", params={"study_id": finished_study}).json()["items"]
    timed = [(item["recipe"], item["runtime"], item["host"].rpartition(", ")[2]) for item in items]
    models = [("fp32", "onnxruntime"), ("fp32", "torch"), ("static-int8", "onnxruntime")]
    assert sorted(timed) == sorted((*model, threads) for model in models for threads in ("1 thread", "2 threads"))
    assert all(("score" in item["metrics"]) == item["host"].endswith("1 thread") for item in items)


def test_the_front_has_a_hypervolume(client: httpx.Client, finished_study: str) -> None:
    front = client.get(f"/studies/{finished_study}/pareto").json()
    assert front["items"]
    assert front["hypervolume"] > 0
    assert set(front["reference"]) == {"f1", "latency_ms"}


def test_trials_and_variants_are_filtered_by_their_metrics(client: httpx.Client, finished_study: str) -> None:
    every = trials_of(client, finished_study)
    f1 = sorted(trial["metrics"]["f1"] for trial in every)[1]
    found = trials_of(client, finished_study, where=[f"f1>={f1}", "params<=1e9"], limit=1)
    assert [trial["id"] for trial in found] == [trial["id"] for trial in every if trial["metrics"]["f1"] >= f1]
    assert trials_of(client, finished_study, where="f1>=1.5") == []
    query = {"study_id": finished_study, "where": "size_bytes<=0"}
    assert client.get("/variants", params=query).json()["items"] == []


@pytest.mark.parametrize("path", ["/trials", "/variants"])
def test_a_filter_by_no_metric_is_refused_with_those_there_are(client: httpx.Client, path: str) -> None:
    answer = client.get(path, params={"where": ["f1>=0.5", "speed>=1"]})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "where"
    assert error["message"].startswith("this listing has no 'speed' to filter by; known: f1, accuracy,")


def test_events_tell_the_whole_story_and_go_on_where_one_left_off(client: httpx.Client, finished_study: str) -> None:
    first = _read_events(client, finished_study, count=5, headers={})
    assert [event["kind"] for event in first][:2] == ["study", "study"]
    rest = _read_events(client, finished_study, count=3, headers={"Last-Event-ID": first[-1]["id"]})
    assert int(rest[0]["id"]) > int(first[-1]["id"])


def _read_events(client: httpx.Client, study_id: str, *, count: int, headers: dict[str, str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    with client.stream("GET", f"/studies/{study_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event_id = ""
        for line in answer.iter_lines():
            if line.startswith("id: "):
                event_id = line.removeprefix("id: ")
            if line.startswith("data: "):
                found.append({"id": event_id, **json.loads(line.removeprefix("data: "))})
            if len(found) == count:
                break
    return found


def test_one_more_recipe_is_run_for_a_trial_of_a_finished_study(client: httpx.Client, finished_study: str) -> None:
    best = trials_of(client, finished_study)[0]["id"]
    refused = client.post(f"/trials/{best}/compress", json={"recipe": "tiny"})
    assert refused.status_code == 422
    assert "known: fp32" in refused.json()["detail"]
    recipe = {"name": "half", "steps": [{"technique": "structured_pruning", "ratio": 0.5}]}
    queued = client.post(f"/trials/{best}/compress", json={"recipe": recipe})
    assert queued.status_code == 202
    assert client.post(f"/trials/{best}/compress", json={"recipe": recipe}).json()["id"] == queued.json()["id"]


def test_two_posts_with_one_key_make_one_study(client: httpx.Client) -> None:
    body = tiny_study(name="once", budget={"max_trials": 1, "epochs": 1})
    headers = {"Idempotency-Key": "the-same"}
    first, second = (client.post("/studies", json=body, headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] == second.json()["id"]
    other = client.post("/studies", json={**body, "name": "other"}, headers=headers)
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["detail"]
    client.post(f"/studies/{first.json()['id']}/cancel")


def test_three_mistakes_get_one_answer_that_names_all_three(client: httpx.Client) -> None:
    body = tiny_study(space={"image_size": 3, "architecture": "huge"}, colour="red")
    answer = client.post("/studies", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {error["field"] for error in problem["errors"]} == {
        "space.image_size[0]",
        "space.architecture",
        "colour",
    }


def test_an_unknown_path_is_refused_at_once(client: httpx.Client) -> None:
    answer = client.post("/studies", json=tiny_study(dataset={"source": "folder", "path": "/no/such/folder"}))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "field": "dataset.path",
            "message": "there is nothing at /no/such/folder: give a path that the server can read",
        }
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/studies/nothing"),
        ("GET", "/trials/nothing"),
        ("GET", "/variants/nothing"),
        ("GET", "/artifacts/nothing"),
        ("GET", "/studies/nothing/pareto"),
        ("GET", "/studies/nothing/events"),
        ("GET", "/studies/nothing/importance"),
        ("GET", "/datasets/nothing"),
        ("POST", "/studies/nothing/pause"),
        ("POST", "/trials/nothing/retry"),
        ("GET", "/no/such/route"),
    ],
)
def test_what_is_not_there_gets_a_problem_document(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


def test_a_request_for_another_host_name_is_refused(client: httpx.Client) -> None:
    assert client.get("/studies", headers={"Host": "evil.example"}).status_code == 400


def test_a_study_leads_to_the_log_of_its_ray_job(client: httpx.Client, finished_study: str) -> None:
    logs = client.get(f"/studies/{finished_study}/logs").json()
    assert logs["job"] == get_study(client, finished_study)["job"]
    assert logs["ray_url"].endswith(f"/#/jobs/{logs['job']}")
    assert logs["text"]


def test_the_cluster_is_this_machine_with_its_slots(client: httpx.Client, finished_study: str) -> None:
    cluster = client.get("/cluster").json()
    (node,) = cluster["nodes"]
    assert node["is_head"]
    assert node["resources"].keys() >= {"CPU", "benchmark_slot", "compression"}
    for resource in node["resources"].values():
        assert 0 <= resource["used"] <= resource["total"]
    assert cluster["queues"]["studies"]["COMPLETED"] >= 1


def test_counts_are_there_for_prometheus(client: httpx.Client, finished_study: str) -> None:
    assert 'seedleaf_trials{state="COMPLETED"}' in client.get("/metrics").text


def _image_folder(folder: Path, counts: dict[str, int]) -> Path:
    source = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = source.integers(0, 255, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_a_class_without_enough_images_fails_the_study_and_is_named(client: httpx.Client, tmp_path: Path) -> None:
    folder = _image_folder(tmp_path / "images", {"cat": 10, "dog": 1})
    study_id = post_study(client, dataset={"source": "folder", "path": str(folder)})
    study = wait_until_ended(client, study_id)
    assert study["state"] == "FAILED"
    assert "dog" in study["reason"]


def test_an_unreadable_image_is_named_by_the_check_and_skipped_by_the_study(
    client: httpx.Client, tmp_path: Path
) -> None:
    folder = _image_folder(tmp_path / "images", {"cat": 20, "dog": 20})
    (folder / "cat" / "broken.png").write_bytes(b"no image at all")
    dataset = {"source": "folder", "path": str(folder), "test_fraction": 0}
    registered = client.post("/datasets", json=dataset)
    assert (registered.status_code, registered.json()["report"]) == (201, None)
    budget = {"max_trials": 1, "epochs": 1}
    study_id = post_study(client, dataset=dataset, budget=budget, compression=NO_COMPRESSION)
    study = wait_until_ended(client, study_id)
    assert study["state"] == "COMPLETED", study["reason"]
    (skipped,) = study["skipped"]
    assert "broken.png" in skipped["name"]
    checked = client.get(registered.headers["Location"]).json()
    assert checked["state"] == "COMPLETED"
    assert checked["report"]["skipped"] == study["skipped"]
    assert [(one["name"], one["images"]) for one in checked["report"]["classes"]] == [("cat", 20), ("dog", 20)]
    assert client.get(f"/datasets/{study['dataset_id']}").json() == checked
    assert registered.json()["id"] in {item["id"] for item in client.get("/datasets").json()["items"]}


def test_a_data_set_that_is_not_there_is_refused_at_once(client: httpx.Client) -> None:
    answer = client.post("/datasets", json={"source": "folder", "path": "/no/such/folder"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["path"]
