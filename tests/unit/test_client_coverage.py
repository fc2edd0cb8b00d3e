"""The client covers the service: each operation of /openapi.json has a method of its name that asks for it."""

import inspect
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.schemas import ArtifactView
from api.server.app import create_app
from search.contract.dataset import DatasetSpec
from search.study.spec import StudySpec
from seedleaf import Client, RequestRejectedError
from services.settings import Settings
from tests.unit.scripted_server import Answer, scripted_server

_DATASET = {"source": "sklearn"}
#: What a method is called with where text will not do: bodies, and what stands for an id.
_BODIES: dict[str, dict[str, Any]] = {
    "create_study": {"spec": StudySpec.model_validate({"name": "a", "dataset": _DATASET})},
    "check_study": {"text": "name: a"},
    "extend_study": {"max_trials": 5},
    "create_dataset": {"spec": DatasetSpec.model_validate(_DATASET)},
    "predict": {"image": b"an image"},
    "compress_trial": {"recipe": "fp32"},
    "get_artifact": {
        "artifact": ArtifactView(id="artifact", kind="onnx", sha256="0" * 64, size_bytes=1),
        "path": Path("nothing-is-written"),
    },
}
#: Parameters that the client gives under another name, or in a header.
_OTHERWISE = {"after": "Last-Event-ID", "last-event-id": "after", "idempotency-key": "idempotency_key"}


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    nowhere = {"database_url": "postgresql://nobody@localhost:1/none", "ray_address": "http://localhost:9"}
    settings = Settings.model_validate(nowhere)
    paths = create_app(settings, host="127.0.0.1").openapi()["paths"]
    return [
        (method.upper(), path, operation) for path, methods in paths.items() for method, operation in methods.items()
    ]


_OPERATIONS = _operations()


def _id(operation: tuple[str, str, dict[str, Any]]) -> str:
    return str(operation[2]["operationId"])


def _called_with(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Every id and every parameter of the query, as text of its own."""
    name = operation["operationId"]
    given = dict(_BODIES.get(name, {}))
    accepted = inspect.signature(getattr(Client, name)).parameters
    for parameter in re.findall(r"{(\w+)}", path):
        if parameter in accepted:
            given[parameter] = parameter.removesuffix("_id")
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            given[parameter["name"]] = 7 if parameter["schema"].get("type") == "integer" else "any"
        elif parameter["in"] == "header":
            given[_OTHERWISE[parameter["name"]]] = "7"
    return given


@pytest.mark.parametrize("operation", _OPERATIONS, ids=_id)
def test_every_operation_has_a_method_that_sends_all_its_parameters(operation: tuple[str, str, dict[str, Any]]) -> None:
    method, path, described = operation
    given = _called_with(path, described)
    refusal = Answer(status=404, body=b'{"title": "Not found", "status": 404, "detail": "nothing here"}')
    with scripted_server([refusal]) as server, Client(server.url) as client, pytest.raises(RequestRejectedError):
        list(getattr(client, described["operationId"])(**given))  # a stream asks when it is first read
    (asked,) = server.asked
    sent = urlsplit(asked.path)
    assert asked.method == method
    assert re.fullmatch(re.sub(r"{\w+}", "[a-z]+", path), sent.path)
    headers = {name.lower() for name in asked.headers}
    for parameter in described.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "query":
            assert name in parse_qs(sent.query) or _OTHERWISE[name].lower() in headers
        elif parameter["in"] == "header":
            assert name.lower() in headers


def test_the_methods_of_the_client_are_operations_or_walk_their_pages() -> None:
    named = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    pages = {_id(operation).replace("list_", "iter_") for operation in _OPERATIONS}
    assert named - {"close"} <= {_id(operation) for operation in _OPERATIONS} | pages
