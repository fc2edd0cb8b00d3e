"""A database that is busy or stuck: requests are asked to come again, and the server stays alive."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from api.server import auth
from api.server.app import create_app
from services import database, keys
from tests.integration.security import make_settings, served, serving


def test_a_request_that_gets_no_connection_is_asked_to_come_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POOL_PATIENCE_S", 0.2)
    monkeypatch.setattr(database, "_MOST_BEYOND_POOL", 0)
    app = create_app(make_settings(database_url, tmp_path), host="127.0.0.1")
    reader = app.state.seedleaf.reader
    with served(app) as client:
        with ExitStack() as stack:
            for _ in range(reader.pool.size()):
                stack.enter_context(reader.connect())
            answer = client.get("/studies", timeout=30)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "connections" in answer.json()["detail"]
        assert client.get("/studies").status_code == 200


def test_a_stuck_database_gives_503_and_does_not_keep_the_server_from_being_alive(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    monkeypatch.setattr(auth, "PATIENCE_S", 0.5)
    monkeypatch.setattr(auth, "OPEN_PATIENCE_S", 0.2)
    with serving(database_url, tmp_path) as client, engine.connect() as connection:
        connection.execute(text("LOCK TABLE seedleaf.api_keys IN ACCESS EXCLUSIVE MODE"))
        assert client.get("/healthz", timeout=15).text == "ok"
        answer = client.get("/studies", timeout=15)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        connection.rollback()
        assert client.get("/studies", timeout=15).status_code == 200
