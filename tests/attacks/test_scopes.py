"""What a key may do ends at its scope and its expiry, on every route that the OpenAPI document has."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, update

import services.events
from api.server.openapi import openapi_document
from services import keys
from services.records.keys import KeyScope
from services.store.tables import api_keys
from services.studies import commands
from tests.integration.records import make_study
from tests.integration.security import serving

_OPEN = {"healthz", "readyz"}
#: What a route is for, as its method says. The exceptions are what the brief of a scope names.
_BY_METHOD = {"GET": "read", "POST": "write", "PATCH": "write", "PUT": "write", "DELETE": "admin"}
_READ_ALL_THE_SAME = {"check_study"}


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = openapi_document()["paths"]
    return [
        (method.upper(), path, described) for path, methods in paths.items() for method, described in methods.items()
    ]


_OPERATIONS = _operations()


def _id(operation: tuple[str, str, dict[str, Any]]) -> str:
    return str(operation[2]["operationId"])


@pytest.fixture(scope="module")
def held(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, httpx.Client]]:
    """Clients of one server by the scope of their key; without a key by ""."""
    from services.database import make_engine

    engine = make_engine(module_database_url)
    secrets = {scope.value: keys.create(engine, scope.value, scope=scope)[1] for scope in KeyScope}
    with serving(module_database_url, tmp_path_factory.mktemp("home")) as client:
        held = {"": httpx.Client(base_url=client.base_url)}
        for scope, key in secrets.items():
            held[scope] = httpx.Client(base_url=client.base_url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        yield held
        for one in held.values():
            one.close()
    engine.dispose()


@pytest.mark.parametrize("operation", _OPERATIONS, ids=_id)
def test_every_operation_says_the_scope_that_its_method_calls_for(operation: tuple[str, str, dict[str, Any]]) -> None:
    method, _, described = operation
    assert "security" in described, f"list {_id(operation)} in api/server/scopes.py"
    if _id(operation) in _OPEN:
        assert described["security"] == []
        return
    expected = "read" if _id(operation) in _READ_ALL_THE_SAME else _BY_METHOD[method]
    assert described["security"] == [{"key": [expected]}]


@pytest.mark.parametrize("operation", _OPERATIONS, ids=_id)
@pytest.mark.parametrize("scope", ["", *KeyScope])
def test_a_key_opens_what_its_scope_covers_and_nothing_else(
    scope: str, operation: tuple[str, str, dict[str, Any]], held: dict[str, httpx.Client]
) -> None:
    method, path, described = operation
    answer = held[scope].request(method, re.sub(r"{\w+}", "x", path))
    if described["security"] == []:
        assert answer.status_code not in (401, 403)
    elif not scope:
        assert answer.status_code == 401
    else:
        (needed,) = described["security"][0]["key"]
        is_covered = KeyScope(scope).covers(KeyScope(needed))
        assert (answer.status_code != 403) == is_covered, answer.text
        if not is_covered:
            assert f"needs a key of scope {needed}" in answer.json()["detail"]
            assert answer.headers["content-type"] == "application/problem+json"


def test_an_operation_that_no_list_names_needs_admin(
    held: dict[str, httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.server.scopes.SCOPES", {})
    assert held["write"].get("/studies").status_code == 403
    assert held["admin"].get("/studies").status_code == 200


def test_a_read_key_changes_nothing(held: dict[str, httpx.Client]) -> None:
    body = {"name": "a", "dataset": {"source": "sklearn"}}
    assert held["read"].post("/studies", json=body).status_code == 403
    assert held["admin"].get("/studies").json()["items"] == []
    made = held["write"].post("/studies", json=body)
    assert made.status_code == 201, made.text
    assert held["write"].delete(f"/studies/{made.json()['id']}").status_code == 403


def test_an_expired_key_is_refused_with_its_reason(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    key_id, key = keys.create(engine, "ann", lifetime=timedelta(hours=1))
    headers = {"Authorization": f"Bearer {key}"}
    with serving(database_url, tmp_path) as client:
        assert client.get("/studies", headers=headers).status_code == 200
        _expire(engine, key_id)
        refused = client.get("/studies", headers=headers)
        assert (refused.status_code, "the key 'ann' expired at " in refused.json()["detail"]) == (401, True)
        assert client.get("/studies").status_code == 401


def test_a_stream_of_events_ends_when_its_key_expires(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    monkeypatch.setattr(services.events, "_RECHECK_S", 0.2)
    study_id = make_study(engine)
    key_id, key = keys.create(engine, "ann", scope=KeyScope.READ, lifetime=timedelta(hours=1))
    headers = {"Authorization": f"Bearer {key}"}
    with (
        serving(database_url, tmp_path) as client,
        client.stream("GET", f"/studies/{study_id}/events", headers=headers, timeout=20) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("id: ")
        _expire(engine, key_id)
        commands.cancel(engine, study_id)
        rest = "\n".join(lines)
    assert "CANCELLED" not in rest


def _expire(engine: Engine, key_id: str) -> None:
    with engine.begin() as connection:
        connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(expires_at=func.now()))
