"""Clients that send nothing, half a request or a byte now and then, and more clients than there is room for."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from api.server import connections
from services import events
from tests.integration.records import make_study
from tests.integration.security import serving

_DEADLINE_S = 0.5
_PATIENCE_S = 20.0
_HEAD = "POST /studies HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture
def client(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setattr(connections, "HEAD_S", _DEADLINE_S)
    monkeypatch.setattr(connections, "BODY_S", _DEADLINE_S)
    with serving(database_url, tmp_path) as running:
        yield running


def _connect(client: httpx.Client) -> socket.socket:
    return socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=_PATIENCE_S)


@pytest.mark.parametrize(
    "sent",
    ["", "GET /studies HT", _HEAD, f"{_HEAD}Content-Length: 100\r\n\r\n", f'{_HEAD}Content-Length: 9\r\n\r\n{{"name"'],
    ids=["nothing", "half a line", "half a head", "no body", "half a body"],
)
def test_a_connection_without_a_whole_request_is_closed(client: httpx.Client, sent: str) -> None:
    with closing(_connect(client)) as connection:
        connection.sendall(sent.encode())
        assert connection.recv(100) == b""


def test_a_byte_now_and_then_does_not_keep_a_connection_open(client: httpx.Client) -> None:
    with closing(_connect(client)) as connection:
        connection.settimeout(_DEADLINE_S / 5)
        for letter in b"GET /" + 1000 * b"a":
            try:
                connection.send(bytes([letter]))
                if connection.recv(100) == b"":
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    pytest.fail("it was never closed")


def test_a_second_request_that_stays_half_is_closed_too(client: httpx.Client) -> None:
    with closing(_connect(client)) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /hea")
        received = b"".join(iter(lambda: connection.recv(4096), b""))
    assert received.startswith(b"HTTP/1.1 200")


def test_a_stream_of_events_outlives_the_deadlines(
    client: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_RECHECK_S", 2 * _DEADLINE_S)
    study_id = make_study(engine)
    with client.stream("GET", f"/studies/{study_id}/events") as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith(": still here"))
        assert next(line for line in lines if line.startswith(": still here"))


def test_a_stream_too_many_is_asked_to_come_again(
    client: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_WATCHERS", 1)
    path = f"/studies/{make_study(engine)}/events"
    with client.stream("GET", path) as first:
        lines = first.iter_lines()
        assert next(lines)
        with httpx.Client(base_url=client.base_url) as another:
            answer = another.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_a_connection_too_many_is_asked_to_come_again(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 1)
    assert client.get("/healthz").status_code == 200
    with closing(_connect(client)) as connection:
        received = b"".join(iter(lambda: connection.recv(4096), b""))
    assert received.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 5" in received
