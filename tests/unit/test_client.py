"""The client against real but misbehaving servers: retries, refusals, streams and downloads that break off."""

import hashlib
import json
import socket
from pathlib import Path

import pytest

from api.schemas import ArtifactView
from seedleaf import (
    Client,
    DamagedDownloadError,
    RequestRejectedError,
    ServerFailedError,
    ServerUnreachableError,
)
from tests.unit.scripted_server import Answer, scripted_server

EMPTY_PAGE = Answer(body=b'{"items": [], "next": null}')
BUSY = Answer(status=503, body=b'{"title": "Error", "status": 503, "detail": "the database does not answer"}')
CONTENT = b"a model"
ARTIFACT = ArtifactView(id="artifact_1", kind="onnx", sha256=hashlib.sha256(CONTENT).hexdigest(), size_bytes=7)


def _stream(*numbers: int) -> bytes:
    data = [
        {"kind": "trial", "trial_id": "trial_1", "at": "2026-01-01T00:00:00+00:00", "number": number}
        for number in numbers
    ]
    events = [
        f"id: {number}\nevent: trial\ndata: {json.dumps(event)}\n\n"
        for number, event in zip(numbers, data, strict=True)
    ]
    return "".join(events).encode()


def test_a_request_that_changes_nothing_is_tried_again_while_the_server_is_busy() -> None:
    with scripted_server([BUSY, BUSY, EMPTY_PAGE]) as server, Client(server.url) as client:
        assert list(client.iter_studies()) == []
    assert len(server.asked) == 3


def test_a_request_that_changes_something_is_sent_once() -> None:
    with (
        scripted_server([BUSY]) as server,
        Client(server.url) as client,
        pytest.raises(ServerFailedError, match="database"),
    ):
        client.pause_study("study_1")
    assert [(asked.method, asked.path) for asked in server.asked] == [("POST", "/studies/study_1/pause")]


def test_a_refusal_names_every_field_and_is_not_tried_again() -> None:
    problem = {
        "title": "Rejected",
        "status": 422,
        "detail": "2 problems",
        "errors": [{"field": "name", "message": "too short"}, {"field": "space.image_size[0]", "message": "too small"}],
    }
    answer = Answer(status=422, body=json.dumps(problem).encode())
    with (
        scripted_server([answer]) as server,
        Client(server.url) as client,
        pytest.raises(RequestRejectedError) as caught,
    ):
        client.get_study("study_1")
    assert str(caught.value) == "2 mistakes:\n  name: too short\n  space.image_size[0]: too small"
    assert caught.value.status == 422
    assert [error.field for error in caught.value.field_errors] == ["name", "space.image_size[0]"]
    assert len(server.asked) == 1


def test_an_answer_that_is_not_of_a_seedleaf_server_is_told_as_that() -> None:
    strange = [Answer(status=404, body=b"<html>"), Answer(body=b"<html>")]
    with scripted_server(strange) as server, Client(server.url) as client:
        with pytest.raises(RequestRejectedError, match="is it a Seedleaf server"):
            client.get_study("study_1")
        with pytest.raises(ServerFailedError, match="is it a Seedleaf server"):
            client.get_study("study_1")


@pytest.mark.parametrize("url", ["no-scheme", "http://127.0.0.1:port"])
def test_an_url_that_leads_nowhere_says_what_to_do(url: str) -> None:
    with pytest.raises(ServerUnreachableError, match="seedleaf up"), Client(url) as client:
        client.get_study("study_1")


def test_a_server_that_is_not_there_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(ServerUnreachableError, match="seedleaf up"):
        client.get_study("study_1")


def test_url_and_key_come_from_the_environment_where_they_are_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server([EMPTY_PAGE]) as server:
        monkeypatch.setenv("SEEDLEAF_URL", f"{server.url}/")
        monkeypatch.setenv("SEEDLEAF_API_KEY", "from the environment")
        with Client() as client, Client(key="given") as other:
            client.list_studies()
            other.list_studies()
    assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer from the environment", "Bearer given"]


def test_an_id_is_one_part_of_a_path_whatever_it_contains() -> None:
    with scripted_server([BUSY]) as server, Client(server.url) as client, pytest.raises(ServerFailedError):
        client.resume_study("../a?b#c")
    assert server.asked[0].path == "/studies/..%2Fa%3Fb%23c/resume"


def test_a_listing_goes_on_from_cursor_to_cursor() -> None:
    first = Answer(body=b'{"items": [], "next": "more"}')
    with scripted_server([first, EMPTY_PAGE]) as server, Client(server.url) as client:
        assert list(client.iter_trials(study_id="study_1", sort="f1", order="desc")) == []
    assert [asked.path for asked in server.asked] == [
        "/trials?study_id=study_1&sort=f1&order=desc&limit=200",
        "/trials?study_id=study_1&sort=f1&order=desc&cursor=more&limit=200",
    ]


def test_a_stream_that_breaks_off_is_taken_up_after_its_last_event() -> None:
    broken = Answer(body=_stream(1, 2) + b": still here\n\nid: 3\ndata: {", promised_bytes=10_000)
    with scripted_server([broken, Answer(body=_stream(3))]) as server, Client(server.url) as client:
        events = client.stream_events("study_1")
        received = [next(events) for _ in range(3)]
        events.close()
    assert [event.id for event in received] == [1, 2, 3]
    assert received[2].payload == {"number": 3}
    assert [asked.headers["Last-Event-ID"] for asked in server.asked] == ["0", "2"]


def test_a_download_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    with scripted_server([Answer(body=CONTENT)]) as server, Client(server.url) as client:
        client.get_artifact(ARTIFACT, target)
    assert target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [target]


def test_a_download_that_breaks_off_is_made_again(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    answers = [Answer(body=CONTENT[:3], promised_bytes=7), Answer(body=CONTENT)]
    with scripted_server(answers) as server, Client(server.url) as client:
        client.get_artifact(ARTIFACT, target)
    assert target.read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_download_with_another_sha256_leaves_nothing(tmp_path: Path) -> None:
    with (
        scripted_server([Answer(body=b"another")]) as server,
        Client(server.url) as client,
        pytest.raises(DamagedDownloadError, match=r"model\.onnx"),
    ):
        client.get_artifact(ARTIFACT, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
