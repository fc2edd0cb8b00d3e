"""More studies than the machine has room for wait in a queue; what no node can ever run is refused."""

from collections.abc import Iterator

import pytest

from tests.acceptance.studies import NO_COMPRESSION, get_study, post_study, tiny_study, wait_until_ended
from tests.server import Server, home_folder, server_process, wait_for

_PLACES = 2
_ENDED = ("COMPLETED", "FAILED")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with home_folder() as home, server_process(home, SEEDLEAF_MAX_SEARCHES=str(_PLACES)) as running:
        yield running


def test_of_five_studies_two_are_searched_at_a_time_and_all_complete(server: Server) -> None:
    with server.client() as client:
        study_ids = [
            post_study(client, budget={"max_trials": 1, "epochs": 1}, compression=NO_COMPRESSION) for _ in range(5)
        ]
        wait_for(
            lambda: [get_study(client, each)["queue_position"] for each in study_ids] == [None, None, 1, 2, 3],
            timeout_s=60,
            what="two drivers and three studies in the queue",
        )
        assert get_study(client, study_ids[2])["reason"] == "waits until another study's search ends"
        most, ended = 0, 0
        while ended < len(study_ids):
            most = max(most, sum(server.driver_of(study_id) is not None for study_id in study_ids))
            ended = sum(get_study(client, study_id)["state"] in _ENDED for study_id in study_ids)
        studies = [wait_until_ended(client, study_id) for study_id in study_ids]
    assert [study["state"] for study in studies] == ["COMPLETED"] * 5, [study["reason"] for study in studies]
    assert most == _PLACES
    started = [study["started_at"] for study in studies]
    assert max(started[:2]) < min(started[2:])


def test_a_study_that_this_machine_can_never_run_is_refused_and_the_check_says_so(server: Server) -> None:
    giant = tiny_study(resources={"concurrency": 1, "cpus_per_trial": 4096})
    with server.client() as client:
        wait_for(lambda: client.get("/cluster").is_success, timeout_s=60, what="the cluster's nodes")
        answer = client.post("/studies", json=giant)
        checked = client.post("/studies/check", json={"text": str(giant).replace("'", '"').replace("None", "null")})
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["field"] == "resources"
    assert problem["message"].startswith("no node has 4096 CPUs for a trial (the nodes have: ")
    assert checked.json()["problems"] == [problem]
