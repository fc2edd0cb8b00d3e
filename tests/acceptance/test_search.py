"""Searching through the service: trials that are stopped early, and what a later study has from an earlier one."""

from typing import Any

import httpx
import pytest

from tests.acceptance.studies import ARCHITECTURE, NO_COMPRESSION, post_study, trials_of, wait_until_ended
from tests.server import Server

EPOCHS = 4
#: Most rates are far too small to learn anything in four epochs.
HOPELESS = {
    "image_size": 16,
    "batch_size": 64,
    "learning_rate": {"low": 1e-6, "high": 0.1, "log": True},
    "architecture": ARCHITECTURE,
}


@pytest.fixture(scope="module")
def stopped_study(server: Server) -> dict[str, Any]:
    with server.client() as client:
        study_id = post_study(
            client,
            space=HOPELESS,
            objectives=[{"metric": "f1", "goal": "maximize"}],
            sampler={"name": "random", "seed": 1},
            scheduler={"name": "curve-forecast"},
            budget={"max_trials": 14, "epochs": EPOCHS},
            compression=NO_COMPRESSION,
        )
        return wait_until_ended(client, study_id)


def test_hopeless_trials_are_stopped_with_the_reason_and_without_a_final_f1(
    server: Server, stopped_study: dict[str, Any]
) -> None:
    assert stopped_study["state"] == "COMPLETED", stopped_study["reason"]
    assert stopped_study["progress"]["finished"] == 14
    with server.client() as client:
        stopped = trials_of(client, stopped_study["id"], state="STOPPED")
        assert stopped
        for trial in stopped:
            assert "will hardly exceed" in trial["reason"]
            assert trial["metrics"].keys() >= {"macs", "params"}
            assert trial["metrics"].get("f1") is None
            assert len(_curve(client, trial["id"])) < EPOCHS
        assert all(
            len(_curve(client, trial["id"])) == EPOCHS
            for trial in trials_of(client, stopped_study["id"], state="COMPLETED")
        )


def _curve(client: httpx.Client, trial_id: str) -> list[dict[str, Any]]:
    curve: list[dict[str, Any]] = client.get(f"/trials/{trial_id}").json()["epochs"]
    return curve


def test_a_later_study_tries_its_own_points_and_then_the_front_of_the_earlier_one(
    server: Server, stopped_study: dict[str, Any]
) -> None:
    point = {"learning_rate": 0.05, "stem.width": 24}
    with server.client() as client:
        study_id = post_study(
            client,
            space=HOPELESS,
            objectives=[{"metric": "f1", "goal": "maximize"}],
            warm_start=[stopped_study["id"]],
            enqueue=[point],
            budget={"max_trials": 2, "epochs": 1},
            compression=NO_COMPRESSION,
        )
        study = wait_until_ended(client, study_id)
        assert study["state"] == "COMPLETED", study["reason"]
        first, second = sorted(trials_of(client, study_id), key=lambda trial: trial["number"])
        best = trials_of(client, stopped_study["id"], sort="f1", order="desc", state="COMPLETED")[0]
        assert client.get(f"/trials/{first['id']}").json()["assignment"].items() >= point.items()
        assert second["candidate"] == best["candidate"]
