"""A Ray that accepts connections and answers none of them, as a frozen dashboard does."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from api.server.app import create_app
from services.store import studies
from tests.integration.records import make_study
from tests.integration.security import make_settings, served

_MANY = 60


@pytest.fixture
def stuck_ray() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=_MANY) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_many_requests_that_wait_for_a_stuck_ray_do_not_keep_the_server_from_saying_that_it_lives(
    stuck_ray: str, database_url: str, engine: Engine, tmp_path: Path
) -> None:
    app = create_app(make_settings(database_url, tmp_path, ray_address=stuck_ray), host="127.0.0.1")
    study_id = make_study(engine)
    with engine.begin() as connection:
        studies.record_submission(connection, study_id, f"{study_id}-1", 1)
    with served(app) as client, ThreadPoolExecutor(_MANY) as pool:

        def ask(path: str) -> int:
            return httpx.get(client.base_url.join(path), timeout=60).status_code

        began = time.monotonic()
        waiting = [pool.submit(ask, f"studies/{study_id}/logs") for _ in range(_MANY)]
        assert client.get("/healthz").status_code == 200
        assert client.get("/studies").status_code == 200
        assert {answer.result() for answer in waiting} == {503}
        assert time.monotonic() - began < 20


def test_a_stuck_ray_is_noticed_and_then_answered_for_at_once(
    stuck_ray: str, database_url: str, tmp_path: Path
) -> None:
    app = create_app(make_settings(database_url, tmp_path, ray_address=stuck_ray), host="127.0.0.1")
    watch = app.state.seedleaf.ray_watch
    watch.start()
    try:
        with served(app) as client:
            assert client.get("/readyz").json()["detail"].startswith("Ray does not answer")
            assert client.get("/cluster").elapsed.total_seconds() < 1
    finally:
        watch.close()
