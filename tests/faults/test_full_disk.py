"""A server whose disks are full or read-only (fault 8 and its like): what waits says why, and goes on by itself."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.acceptance.studies import NO_COMPRESSION, get_study, post_study, trials_of, wait_until_ended
from tests.server import Server, home_folder, server_process, wait_for
from tests.small_disk import SmallDisk, small_disk

_HOME_MIB = 400


@pytest.fixture(scope="module")
def home() -> Iterator[SmallDisk]:
    with home_folder() as folder, small_disk(folder, mebibytes=_HOME_MIB) as disk:
        yield disk


@pytest.fixture(scope="module")
def small_server(home: SmallDisk) -> Iterator[Server]:
    """A server whose home folder has a disk of its own."""
    with server_process(home.folder) as server:
        yield server


@pytest.fixture
def client(small_server: Server) -> Iterator[httpx.Client]:
    with small_server.client() as client:
        yield client


def _waiting(client: httpx.Client, study_id: str, *words: str) -> dict[str, Any]:
    def waits() -> dict[str, Any] | None:
        study = get_study(client, study_id)
        return study if all(word in str(study["reason"]) for word in ("waits for room", *words)) else None

    study: dict[str, Any] = wait_for(waits, timeout_s=300, what=f"study {study_id} to wait for {words}")
    assert study["state"] == "QUEUED"
    assert study["progress"]["finished"] == 0
    return study


def _complete(client: httpx.Client, study_id: str) -> None:
    study = wait_until_ended(client, study_id)
    assert (study["state"], study["progress"]["finished"]) == ("COMPLETED", 2), study["reason"]
    assert len(trials_of(client, study_id, state="COMPLETED")) == 2


def test_a_study_waits_for_artifacts_and_completes_by_itself(small_server: Server, client: httpx.Client) -> None:
    with small_disk(small_server.home / "artifacts") as disk:
        disk.fill()
        study_id = post_study(client, budget={"max_trials": 2, "epochs": 1}, compression=NO_COMPRESSION)
        _waiting(client, study_id, "artifacts", "No space left on device")
        later = post_study(client, budget={"max_trials": 2, "epochs": 1}, compression=NO_COMPRESSION)
        _waiting(client, later, "No space left on device")
        assert get_study(client, later)["job"] is None
        assert {trial["state"] for trial in trials_of(client, study_id)} == {"CANCELLED"}
        disk.free()
        _complete(client, study_id)
        _complete(client, later)


def test_a_study_waits_for_its_read_only_cache_and_completes_by_itself(
    small_server: Server, client: httpx.Client
) -> None:
    with small_disk(small_server.home / "cache") as disk:
        disk.make_read_only()
        study_id = post_study(client, budget={"max_trials": 2, "epochs": 1}, compression=NO_COMPRESSION)
        _waiting(client, study_id, "cache", "Read-only file system")
        disk.make_read_only(read_only=False)
        _complete(client, study_id)


def test_a_server_whose_whole_disk_is_full_says_so_and_is_ready_again_once_there_is_room(
    home: SmallDisk, client: httpx.Client
) -> None:
    home.fill()
    answer = client.get("/readyz")
    assert (answer.status_code, client.get("/healthz").status_code) == (503, 200)
    assert "the disk of the database is full" in answer.json()["detail"]
    home.free()
    wait_for(lambda: client.get("/readyz").status_code == 200, timeout_s=120, what="the server to be ready")
    _complete(client, post_study(client, budget={"max_trials": 2, "epochs": 1}, compression=NO_COMPRESSION))
