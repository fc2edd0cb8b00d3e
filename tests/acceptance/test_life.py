"""The life of a study: paused, resumed, extended, cancelled; and what survives kill -9."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from search.contract.recipes import DEFAULT_RECIPES
from tests.acceptance.studies import (
    NO_COMPRESSION,
    get_study,
    post_study,
    trials_of,
    wait_for_finished,
    wait_until_ended,
)
from tests.server import Server, home_folder, kill_if_alive, start_server, wait_for


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def test_a_paused_study_starts_nothing_and_goes_on_when_it_is_resumed_and_extended(client: httpx.Client) -> None:
    study_id = post_study(client, budget={"max_trials": 4, "epochs": 6}, compression=NO_COMPRESSION)
    wait_for_finished(client, study_id, 1)
    assert client.post(f"/studies/{study_id}/pause").json()["state"] == "PAUSED"
    wait_for(lambda: not trials_of(client, study_id, state="RUNNING"), timeout_s=180, what="running trials to end")
    before = len(trials_of(client, study_id))
    assert before < 4
    extended = client.patch(f"/studies/{study_id}", json={"budget": {"max_trials": 5}})
    assert extended.json()["progress"]["total"] == 5
    assert client.post(f"/studies/{study_id}/resume").json()["state"] in ("QUEUED", "RUNNING")
    study = wait_until_ended(client, study_id)
    assert (study["state"], study["progress"]["finished"]) == ("COMPLETED", 5), study["reason"]
    numbers = [trial["number"] for trial in trials_of(client, study_id)]
    assert sorted(numbers) == list(range(5))


def test_a_cancelled_study_leaves_no_trial_and_no_driver(client: httpx.Client, server: Server) -> None:
    study_id = post_study(client, budget={"max_trials": 50, "epochs": 5})
    wait_for(lambda: trials_of(client, study_id, state="RUNNING"), timeout_s=180, what="a running trial")
    assert client.post(f"/studies/{study_id}/cancel").json()["state"] == "CANCELLED"
    assert not trials_of(client, study_id, state="RUNNING")
    wait_for(lambda: server.driver_of(study_id) is None, timeout_s=180, what="the driver to end")


def test_killed_trials_keep_their_reason_and_end_the_study_after_some_in_a_row(
    client: httpx.Client, server: Server
) -> None:
    study_id = post_study(
        client, budget={"max_trials": 30, "epochs": 1000, "max_failures": 2}, resources={"concurrency": 2}
    )

    def kill_workers_until_the_study_ends() -> bool:
        for worker in server.processes("ray::", "Trainable"):
            kill_if_alive(worker)
        return bool(get_study(client, study_id)["state"] == "FAILED")

    wait_for(lambda: trials_of(client, study_id, state="RUNNING"), timeout_s=180, what="a running trial")
    wait_for(kill_workers_until_the_study_ends, timeout_s=300, what="the study to give up")
    assert "trials failed in a row" in get_study(client, study_id)["reason"]
    failed = trials_of(client, study_id, state="FAILED")
    assert len(failed) >= 2
    assert all("died" in trial["reason"] for trial in failed)
    assert not trials_of(client, study_id, state="RUNNING")


def test_a_limit_that_is_broken_before_training_costs_no_epoch(client: httpx.Client) -> None:
    study_id = post_study(client, constraints=[{"metric": "params", "max": 10}], budget={"max_trials": 3, "epochs": 1})
    study = wait_until_ended(client, study_id)
    assert (study["state"], study["progress"]["finished"]) == ("FAILED", 0)
    assert "200 candidates in a row were ruled out before training: params" in study["reason"]
    for trial in trials_of(client, study_id):
        assert trial["state"] == "INFEASIBLE"
        assert "is above the limit of 10" in trial["reason"]
    assert client.get(f"/trials/{trial['id']}").json()["epochs"] == []


def test_a_latency_limit_that_is_broken_ends_the_trial_early(client: httpx.Client) -> None:
    study_id = post_study(
        client,
        constraints=[{"metric": "latency_ms", "max": 0.0001}],
        budget={"max_trials": 1, "epochs": 200},
    )
    wait_until_ended(client, study_id)
    (trial,) = trials_of(client, study_id)
    assert trial["state"] == "INFEASIBLE"
    assert "latency_ms" in trial["reason"]
    assert len(client.get(f"/trials/{trial['id']}").json()["epochs"]) < 200


def test_a_killed_driver_is_replaced_and_no_finished_trial_is_lost(client: httpx.Client, server: Server) -> None:
    study_id = post_study(client, budget={"max_trials": 5, "epochs": 2}, compression=NO_COMPRESSION)
    wait_for_finished(client, study_id, 2)
    finished = trials_of(client, study_id, state="COMPLETED")
    driver = server.driver_of(study_id)
    assert driver is not None
    driver.kill()
    study = wait_until_ended(client, study_id)
    _check_whole(client, study, finished, total=5)


@pytest.fixture(scope="module")
def ended_study(server: Server) -> str:
    """The study of one trial."""
    with server.client() as client:
        study_id = post_study(client, budget={"max_trials": 1, "epochs": 1}, compression=NO_COMPRESSION)
        assert wait_until_ended(client, study_id)["state"] == "COMPLETED"
    return study_id


def test_a_full_training_whose_job_is_killed_goes_on_from_its_last_epoch(
    client: httpx.Client, server: Server, ended_study: str
) -> None:
    (trial,) = trials_of(client, ended_study)
    training_id = client.post(f"/trials/{trial['id']}/train", json={"epochs": 40}).json()["id"]

    def training() -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"/trainings/{training_id}").json()
        return found

    wait_for(lambda: len(training()["curves"]) >= 3, timeout_s=180, what="the first epochs")
    for process in server.processes("services.jobs.training_job", training_id):
        kill_if_alive(process)
    before = training()["curves"]
    assert len(before) < 40
    wait_for(lambda: training()["state"] == "COMPLETED", timeout_s=240, what="the training to end")
    after = training()["curves"]
    assert after[: len(before)] == before
    assert [epoch["epoch"] for epoch in after] == list(range(1, 41))


def test_an_ended_study_searches_on_when_it_is_extended(client: httpx.Client, ended_study: str) -> None:
    (first,) = trials_of(client, ended_study)
    client.patch(f"/studies/{ended_study}", json={"budget": {"max_trials": 2}})
    study = wait_until_ended(client, ended_study)
    assert study["progress"]["finished"] == 2
    measured = [(trial["id"], trial["metrics"]) for trial in trials_of(client, ended_study)]
    assert (first["id"], first["metrics"]) in measured


def test_a_search_for_recipes_goes_on_when_a_compressor_is_killed_and_leaves_no_half_file(
    client: httpx.Client, server: Server
) -> None:
    search = {"max_candidates": 1, "recipes": "search", "budget": {"evaluations": 3}}
    study_id = post_study(client, budget={"max_trials": 1, "epochs": 1}, compression=search)
    at_work = wait_for(lambda: server.processes("ray::CompressorActor.run"), timeout_s=240, what="a compressor at work")
    at_work[0].kill()
    assert wait_until_ended(client, study_id)["state"] == "COMPLETED"
    (trial,) = trials_of(client, study_id)
    jobs = client.get(f"/trials/{trial['id']}").json()["compression"]
    assert [job["recipe"]["name"] for job in jobs] == [recipe.name for recipe in DEFAULT_RECIPES[:3]]
    assert max(job["attempts"] for job in jobs) == 2
    variants = client.get("/variants", params={"study_id": study_id}).json()["items"]
    models = [(variant["recipe"], variant["runtime"]) for variant in variants]
    assert len(models) == len(set(models))
    completed = {job["recipe"]["name"] for job in jobs if job["state"] == "COMPLETED"}
    assert {recipe for recipe, _ in models} == completed >= {"fp32"}
    _check_artifacts(client, study_id)
    for file in (server.home / "artifacts").rglob("*"):
        assert file.is_dir() or hashlib.sha256(file.read_bytes()).hexdigest() == file.name


@pytest.fixture
def home() -> Iterator[Path]:
    with home_folder() as folder:
        yield folder


def test_after_kill_9_of_everything_the_study_goes_on_with_what_remains(home: Path) -> None:
    server = start_server(home)
    with server.client() as client:
        study_id = post_study(client, budget={"max_trials": 4, "epochs": 2}, resources={"concurrency": 2})
        wait_for_finished(client, study_id, 1)
        finished = trials_of(client, study_id, state="COMPLETED")
    server.kill_everything()
    server = start_server(home)
    with server.client() as client:
        study = wait_until_ended(client, study_id)
        _check_whole(client, study, finished, total=4)
        _check_artifacts(client, study_id)
    processes = [psutil.Process(server.process.pid), *server.descendants()]
    assert server.interrupt() == 0
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not [process.cmdline() for process in alive]


def _check_whole(client: httpx.Client, study: dict[str, object], finished: list[dict[str, object]], total: int) -> None:
    """Nothing finished is lost or changed, the budget is spent exactly, and nothing is left running."""
    assert study["state"] == "COMPLETED", study["reason"]
    trials = {trial["id"]: trial for trial in trials_of(client, str(study["id"]))}
    for trial in finished:
        assert _until_the_end(trials[trial["id"]]) == _until_the_end(trial)
    states = [trial["state"] for trial in trials.values()]
    assert states.count("COMPLETED") == total
    assert set(states) <= {"COMPLETED", "CANCELLED"}


def _until_the_end(trial: dict[str, object]) -> dict[str, object]:
    """Without what a trial gets when its study ends: its best variant, and its score on test images as a pick."""
    return {name: value for name, value in trial.items() if name != "best_variant" and "test" not in name}


def _check_artifacts(client: httpx.Client, study_id: str) -> None:
    variants = client.get("/variants", params={"study_id": study_id}).json()["items"]
    assert variants
    for variant in variants:
        for artifact in variant["artifacts"]:
            assert client.get(f"/artifacts/{artifact['id']}").status_code == 200
