"""Hosts that die or are cut off, on the compose cluster where it is up (faults 4, 7, 9 and 10)."""

import time

import pytest

from tests.acceptance.studies import get_study, post_study, wait_for_finished, wait_until_ended
from tests.faults.compose import ComposeCluster, why_not_up

pytestmark = pytest.mark.slow
CUT_OFF_S = 90
PATIENCE_S = 600


@pytest.fixture(scope="module")
def hosts() -> ComposeCluster:
    reason = why_not_up()
    if reason is not None:
        pytest.skip(reason)
    return ComposeCluster()


def start_study(hosts: ComposeCluster, *, max_trials: int) -> str:
    with hosts.client() as client:
        study_id = post_study(client, budget={"max_trials": max_trials, "epochs": 3})
        wait_for_finished(client, study_id, 2, timeout_s=PATIENCE_S)
    return study_id


def completes(hosts: ComposeCluster, study_id: str) -> None:
    with hosts.client() as client:
        study = wait_until_ended(client, study_id, timeout_s=PATIENCE_S)
    assert study["state"] == "COMPLETED", study["reason"]


@pytest.mark.parametrize("service", ["trial-worker", "ray-head", "postgres"])
def test_a_killed_container_costs_no_finished_result(hosts: ComposeCluster, service: str) -> None:
    study_id = start_study(hosts, max_trials=8)
    before = hosts.witness()
    hosts.kill(hosts.containers(service)[0])
    hosts.up()
    completes(hosts, study_id)
    hosts.check(before)


def test_a_worker_cut_off_for_90_seconds_comes_back_and_its_trials_end_once(hosts: ComposeCluster) -> None:
    study_id = start_study(hosts, max_trials=12)
    before, worker = hosts.witness(), hosts.containers("trial-worker")[0]
    hosts.cut_off(worker)
    try:
        time.sleep(CUT_OFF_S)
    finally:
        hosts.reconnect(worker)
    completes(hosts, study_id)
    hosts.check(before)
    with hosts.client() as client:
        assert get_study(client, study_id)["progress"]["finished"] == 12
