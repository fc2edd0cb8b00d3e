"""``seedleaf up`` starts what has died of its parts again, and a study that was running goes on by itself."""

import os
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

from services.database import make_engine
from services.storage.artifacts import ArtifactStore
from tests.acceptance.studies import NO_COMPRESSION, post_study, trials_of, wait_for_finished, wait_until_ended
from tests.faults.invariants import check_invariants, witness
from tests.server import Server, home_folder, server_process, wait_for

#: Less than 30 s on a machine that does nothing else.
_READY_S = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with home_folder() as home, server_process(home) as running:
        yield running


def postmaster(server: Server) -> psutil.Process:
    return psutil.Process(int((server.home / "postgres" / "postmaster.pid").read_text().split()[0]))


def ray_store(server: Server) -> psutil.Process:
    (gcs,) = [process for process in server.descendants() if process.name() == "gcs_server"]
    return gcs


def restarts(server: Server, part: str) -> float:
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    prefix = f'seedleaf_restarts_total{{part="{part}"}} '
    return next(float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix))


def is_ready(server: Server) -> bool:
    return httpx.get(f"{server.url}/readyz", timeout=30).status_code == 200


@pytest.mark.parametrize(("part", "victim"), [("postgres", postmaster), ("ray", ray_store)])
def test_a_study_completes_after_kill_9_of_a_part_in_its_middle(
    server: Server, part: str, victim: Callable[[Server], psutil.Process]
) -> None:
    url = f"postgresql://postgres@/postgres?host={server.home}/postgres&passfile={server.home}/postgres.password"
    engine = make_engine(url, pool_size=2)
    with server.client() as client:
        study_id = post_study(client, budget={"max_trials": 6, "epochs": 2}, compression=NO_COMPRESSION)
        wait_for_finished(client, study_id, 2)
        count = restarts(server, part)
        before, drivers = witness(engine), server.processes("services.jobs.search_job", study_id)
        killed, at = victim(server), time.monotonic()
        killed.kill()
        wait_for(
            lambda: is_ready(server) and restarts(server, part) > count,
            timeout_s=_READY_S,
            what="the server to be ready again",
        )
        away_s = time.monotonic() - at
        study = wait_until_ended(client, study_id)
        print(f"kill -9 of {part}: ready after {away_s:.1f} s, completed after {time.monotonic() - at:.1f} s")
        assert study["state"] == "COMPLETED", study["reason"]
        assert study["progress"]["finished"] == 6
        assert len(trials_of(client, study_id, state="COMPLETED")) == 6
    check_invariants(engine, ArtifactStore(server.home / "artifacts"), before, processes=server.descendants)
    engine.dispose()
    if part == "ray":
        assert not [process.pid for process in drivers if process.is_running() and process.pid != os.getpid()]
