"""A small document must not keep the server busy, break it, or be worked on for a client that has left."""

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from api.server.app import create_app
from search.spaces import size
from tests.integration.security import make_settings, served, serving
from tests.server import wait_for

#: Of processor time: the server is in this process, and the machine may be busy.
_LONGEST_S = 2.0
_PATIENCE_S = 10.0
_SHARED = {f"p{number}": [1, 2] for number in range(8)}


def _study(**space: Any) -> str:
    return json.dumps({"name": "a", "dataset": {"source": "sklearn"}, "space": space})


def _subsets(stages: int) -> dict[str, Any]:
    """Every block of every stage uses another subset of the parameters that all stages share."""
    blocks = {f"b{number}": [[1, "Conv", [f"$p{number % 8}", f"$p{number // 8}", "$stride"]]] for number in range(48)}
    listed = [{"name": f"s{number}", "blocks": blocks, "stride": [1, 2]} for number in range(stages)]
    return {"stages": listed, "parameters": _SHARED, "stage_count": {"low": 1, "high": stages}}


def _vast() -> dict[str, Any]:
    """A space of about 10^384 networks: no double is that large."""
    block = {"layers": [[1, "Conv", ["$w"]]], "parameters": {"w": {"low": 1, "high": 1_000_000}}}
    return {"stages": [{"name": f"s{number}", "blocks": {"b": block}} for number in range(64)]}


def test_counting_a_space_is_bounded_and_the_server_answers_meanwhile(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    text = _study(architecture=_subsets(16), image_size=list(range(8, 200)))
    assert len(text) < 100_000
    answers: list[httpx.Response] = []
    with serving(database_url, tmp_path) as client:

        def check_once() -> None:
            answers.append(client.post("/studies/check", json={"text": text}, timeout=60))

        started = time.process_time()
        checks = [threading.Thread(target=check_once) for _ in range(4)]
        for check in checks:
            check.start()
        assert client.get("/healthz", timeout=_PATIENCE_S).text == "ok"
        for check in checks:
            check.join()
        elapsed_s = time.process_time() - started
    assert [(answer.status_code, answer.json()["problems"], answer.json()["networks"]) for answer in answers] == [
        (200, [], None)
    ] * 4
    assert elapsed_s < 4 * _LONGEST_S


@pytest.mark.parametrize(
    "text",
    [
        "name: 2001-99-99",
        "name: 2001-01-01 00:00:00 +99:99",
        "name: !!timestamp x",
        "name: !!bool x",
        "seed: " + "1:" * 50_000 + "1.5",
        'name: "\\ud800"',
        "[" * 5000,
        "[" + "1," * 90_000 + "1]",
        _study(optimizer=["sgd"] * 19_000),
        _study(image_size=["x"] * 19_000),
        json.dumps({f"k{number}": 1 for number in range(15_000)}),
    ],
    ids=range(11),
)
def test_a_text_that_is_no_study_has_problems_within_seconds(text: str, database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path) as client:
        started = time.process_time()
        answer = client.post("/studies/check", json={"text": text}, timeout=60)
        assert time.process_time() - started < _LONGEST_S
    assert answer.status_code == 200
    assert 1 <= len(answer.json()["problems"]) <= 101


def test_a_space_beyond_the_largest_number_is_checked(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path) as client:
        answer = client.post("/studies/check", json={"text": _study(architecture=_vast())})
    assert (answer.status_code, answer.json()["problems"], answer.json()["networks"]) == (200, [], None)


def test_a_body_of_too_many_values_is_refused(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path) as client:
        answer = client.post("/studies", json={"space": {"optimizer": ["sgd"] * 50_000}})
    assert (answer.status_code, "more than 20000 values" in answer.json()["detail"]) == (422, True)


def test_a_check_ends_when_its_client_leaves(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(size, "_MOST_STEPS", 10**12)
    app = create_app(make_settings(database_url, tmp_path), host="127.0.0.1")
    body = json.dumps({"text": _study(architecture=_subsets(32))})
    lines = ["POST /studies/check HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    request = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])
    with served(app) as client:
        checks = app.state.seedleaf.spec_checks
        leaving = [socket.create_connection(("127.0.0.1", client.base_url.port or 0)) for _ in range(2)]
        for connection in leaving:
            connection.sendall(request.encode())
        wait_for(checks.is_full, timeout_s=30, what="both checks to run")
        for connection in leaving:
            connection.close()
        wait_for(lambda: not checks.is_full(), timeout_s=30, what="the checks to end")
        monkeypatch.undo()
        answer = client.post("/studies/check", json={"text": _study(image_size=32)}, timeout=60)
    assert answer.json()["networks"] > 1
