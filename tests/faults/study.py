"""A study that searches for as long as a test needs."""

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from tests.acceptance.studies import get_study, post_study, trials_of
from tests.faults.cluster import Cluster
from tests.server import Server, wait_for


@dataclass
class LongStudy:
    """``server`` is the one that is asked; tests that kill it name another."""

    id: str
    cluster: Cluster
    server: Server

    @classmethod
    def start(cls, cluster: Cluster, server: Server, *, max_trials: int = 1000, **changes: Any) -> "LongStudy":
        budget = {"max_trials": max_trials, "epochs": 2}
        with server.client() as client:
            study_id = post_study(client, budget=budget, compression={"max_candidates": 0}, **changes)
        study = cls(id=study_id, cluster=cluster, server=server)
        study.wait_for_progress()
        return study

    def cancel(self) -> None:
        """Leave the cluster's cores to the next study."""
        with self.client() as client:
            client.post(f"/studies/{self.id}/cancel").raise_for_status()
        wait_for(lambda: self.cluster.driver(self.id) is None, timeout_s=60, what="the driver to end")
        wait_for(lambda: not self.cluster.processes("Trainable"), timeout_s=60, what="the trials' workers to end")

    def client(self) -> httpx.Client:
        return self.server.client()

    def wait_for_progress(self) -> None:
        """Until one more trial than now has finished."""
        with self.client() as client:
            before = _finished(client, self.id)
            wait_for(lambda: _finished(client, self.id) > before, timeout_s=120, what="one more finished trial")

    def wait_for_a_running_trial(self) -> str:
        with self.client() as client:
            running = wait_for(lambda: trials_of(client, self.id, state="RUNNING"), timeout_s=60, what="a trial")
            return str(running[0]["id"])

    def driver_attempt(self) -> int:
        """The number of the driver that was submitted last."""
        with self.cluster.engine.connect() as connection:
            query = text("SELECT job_attempt FROM seedleaf.studies WHERE id = :id")
            return int(connection.execute(query, {"id": self.id}).scalar_one())


def _finished(client: httpx.Client, study_id: str) -> int:
    return int(get_study(client, study_id)["progress"]["finished"])
