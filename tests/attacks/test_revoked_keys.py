"""A loopback server that had keys stays closed without them, and one without keys answers no proxy."""

import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine

import services.events
from services import keys
from services.studies import commands
from tests.integration.records import make_study
from tests.integration.security import serving


def test_revoking_the_last_key_does_not_open_a_loopback_server(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    with serving(database_url, tmp_path) as client:
        assert client.get("/studies").status_code == 200
        _, key = keys.create(engine, "ann")
        keys.revoke(engine, "ann")
        assert client.get("/studies").status_code == 401
        assert client.get("/studies", headers={"Authorization": f"Bearer {key}"}).status_code == 401
        assert client.get("/healthz").status_code == 200
    with serving(database_url, tmp_path) as restarted:
        assert restarted.get("/studies").status_code == 401
        _, second = keys.create(engine, "ann")
        assert restarted.get("/studies", headers={"Authorization": f"Bearer {second}"}).status_code == 200


def test_a_stream_of_events_ends_when_its_key_is_revoked(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    monkeypatch.setattr(services.events, "_RECHECK_S", 0.2)
    study_id = make_study(engine)
    _, key = keys.create(engine, "ann")
    keys.create(engine, "bob")
    headers = {"Authorization": f"Bearer {key}"}
    with (
        serving(database_url, tmp_path) as client,
        client.stream("GET", f"/studies/{study_id}/events", headers=headers, timeout=20) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("id: ")
        keys.revoke(engine, "ann")
        commands.cancel(engine, study_id)
        rest = "\n".join(lines)
    assert "CANCELLED" not in rest


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via"]
)
def test_what_a_proxy_forwards_is_refused_until_there_is_a_key(
    header: str, engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    with serving(database_url, tmp_path) as client:
        refused = client.post("/studies/x/cancel", headers={header: "203.0.113.7"})
        assert (refused.status_code, "answers no proxy" in refused.json()["detail"]) == (403, True)
        _, key = keys.create(engine, "ann")
        headers = {header: "203.0.113.7", "Authorization": f"Bearer {key}"}
        assert client.get("/studies", headers=headers).status_code == 200


@pytest.mark.parametrize("request_line", ["GET /studies HTTP/1.0\r\nHost: 127.0.0.1", "GET /studies HTTP/1.0\r\n"])
def test_a_proxy_that_speaks_http_1_0_is_refused_until_there_is_a_key(
    request_line: str, database_url: str, tmp_path: Path
) -> None:
    with (
        serving(database_url, tmp_path) as client,
        socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=10) as connection,
    ):
        connection.sendall(f"{request_line}\r\n\r\n".encode())
        assert b" 403 " in connection.recv(1000).split(b"\r\n")[0]
