"""Processes that die at the worst moment, while a study searches (faults 1, 2, 3 and 15 of docs/cluster.md)."""

import pytest
from sqlalchemy import Connection, text

from tests.acceptance.studies import get_study, trials_of
from tests.faults.cluster import Cluster
from tests.faults.stalling import stalling_proxy
from tests.faults.study import LongStudy
from tests.server import wait_for

pytestmark = pytest.mark.slow


def test_a_driver_killed_between_a_result_and_its_commit_is_replaced_by_a_second_controller(
    parts: Cluster, study: LongStudy
) -> None:
    first, second = study.server, parts.start_server()
    before, driver = parts.witness(), parts.wait_for_driver(study.id)
    with parts.engine.connect() as connection:
        trial_id = _hold_back_a_result(connection, study)
        driver.kill()
        first.kill()
        study.server = second
        connection.rollback()
    study.wait_for_progress()
    with study.client() as client:
        cut_off = client.get(f"/trials/{trial_id}").json()
        trials = trials_of(client, study.id)
    assert cut_off["state"] == "CANCELLED"
    assert "f1" not in cut_off["metrics"]
    again = [trial for trial in trials if trial["candidate"] == cut_off["candidate"] and trial["id"] != trial_id]
    assert again, "what was cut off is run again"
    parts.check(before)


def _hold_back_a_result(connection: Connection, study: LongStudy) -> str:
    """Lock a running trial's row, but not its key, which epochs refer to, until the driver waits with its result."""
    trial_id = study.wait_for_a_running_trial()
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    locked = text("SELECT state FROM seedleaf.trials WHERE id = :id FOR NO KEY UPDATE")
    if connection.execute(locked, {"id": trial_id}).scalar_one() != "RUNNING":
        connection.rollback()
        return _hold_back_a_result(connection, study)
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE seedleaf.trials%'"
    )

    def held_back() -> bool:
        with study.cluster.engine.connect() as another:
            return bool(another.execute(waiting).scalar_one())

    wait_for(held_back, timeout_s=60, what="the driver to wait with a result")
    return trial_id


def test_a_submission_cut_off_between_its_record_and_ray_is_made_once(parts: Cluster, study: LongStudy) -> None:
    before, last = parts.witness(), study.driver_attempt()
    study.server.kill()
    with stalling_proxy(parts.ray_address) as proxy:
        stalled = parts.start_server(ray_address=proxy.url)
        parts.wait_for_driver(study.id).kill()
        assert proxy.reached.wait(60), "no submission"
        stalled.kill()
    assert study.driver_attempt() == last + 1
    study.server = parts.start_server()
    parts.wait_for_driver(study.id)
    study.wait_for_progress()
    assert study.driver_attempt() == last + 1
    parts.check(before)


def test_a_cancelled_study_leaves_no_process_behind(parts: Cluster, study: LongStudy) -> None:
    before = parts.witness()
    study.cancel()
    with study.client() as client:
        assert get_study(client, study.id)["state"] == "CANCELLED"
    parts.check(before)


def test_postgres_killed_mid_study_costs_no_finished_result(parts: Cluster) -> None:
    study = LongStudy.start(parts, parts.start_server())
    before = parts.witness()
    parts.kill_postgres()
    parts.start_postgres()
    study.wait_for_progress()
    parts.check(before)
    study.cancel()


def test_a_lost_ray_head_costs_no_finished_result(parts: Cluster) -> None:
    study = LongStudy.start(parts, parts.start_server())
    before = parts.witness()
    parts.kill_ray()
    parts.start_ray()
    study.wait_for_progress()
    parts.check(before)
    study.cancel()
