"""Paths need a key unless they are listed as open; host names, origins, bodies and headers are checked."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr
from sqlalchemy import Engine, select

from api.server.app import create_app
from api.server.auth import require_keys
from api.server.serve import running_server
from services import keys
from services.errors import NotFoundError
from services.settings import Settings
from services.store import studies
from services.store.tables import api_keys
from tests.integration.records import make_study
from tests.integration.security import make_settings, serving

OPERATORS_KEY = "the-operators-own-key"
OPEN = {"/", "/healthz", "/readyz", "/docs", "/openapi.json", "/web/plotly", "/web/swagger-ui"}


@pytest.fixture
def public(database_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A server that others can reach."""
    with serving(database_url, tmp_path, host="0.0.0.0", data_roots=[tmp_path]) as client:
        yield client


@pytest.fixture(scope="module")
def private(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server on loopback without keys."""
    with serving(module_database_url, tmp_path_factory.mktemp("home")) as client:
        yield client


def _every_route(config: Settings) -> list[tuple[str, str]]:
    app = create_app(config, host="0.0.0.0")
    app.state.seedleaf.engine.dispose()
    found: list[tuple[str, str]] = []
    for route in iter_route_contexts(app.routes):
        assert route.path is not None, f"a kind of route that this test does not know: {route}"
        path = route.path.replace("{", "").replace("}", "")
        found += [(method, path) for method in route.methods or {"GET"}]
    return found


def test_every_route_but_those_listed_asks_for_a_key(public: httpx.Client, database_url: str, tmp_path: Path) -> None:
    routes = _every_route(make_settings(database_url, tmp_path))
    assert len(routes) > 25
    for method, path in routes:
        status = public.request(method, path).status_code
        assert (status == 401) == (path not in OPEN), f"{method} {path} answered {status}"
    for path in ("/nothing", "/web/../studies", "/webs", "/docs/oauth2-redirect", "/redoc"):
        assert public.get(path).status_code in (401, 404), path
        assert "items" not in public.get(path).text


def test_a_key_opens_until_it_is_revoked(public: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    key_id, key = keys.create(engine, "ann")
    for given in (key, key.upper(), key[:-1], "x", "é"):
        status = public.get("/studies", headers={b"Authorization": f"Bearer {given}".encode()}).status_code
        assert status == (200 if given == key else 401)
    assert public.get("/studies", headers={"Authorization": f"Basic {key}"}).status_code == 401
    assert keys.revoke(engine, "ann") == [key_id]
    refused = public.get("/studies", headers={"Authorization": f"Bearer {key}"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.headers["content-type"] == "application/problem+json"
    with pytest.raises(NotFoundError, match="ann"):
        keys.revoke(engine, "ann")


def test_only_the_hash_of_a_key_is_kept(engine: Engine) -> None:
    _, key = keys.create(engine, "ann")
    assert len(key) > 40
    with engine.connect() as connection:
        (row,) = connection.execute(select(api_keys)).all()
    assert key not in repr(row)
    assert [(one.name, one.revoked_at) for one in keys.every(engine)] == [("ann", None)]


def test_the_operators_key_is_taken_and_nowhere_shown(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path, api_key=SecretStr(OPERATORS_KEY)) as client:
        assert client.get("/studies").status_code == 401
        assert client.get("/studies", headers={"Authorization": f"Bearer {OPERATORS_KEY}"}).status_code == 200
    shown = Settings(api_key=SecretStr(OPERATORS_KEY), database_url=SecretStr(database_url))
    assert OPERATORS_KEY not in f"{shown!r} {shown.model_dump_json()}"


def test_a_loopback_server_answers_to_loopback_names_and_its_own_page_only(private: httpx.Client) -> None:
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000", "127.8.9.1"):
        assert private.get("/studies", headers={"Host": host}).status_code == 200, host
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8000",
        "[::1",
        "0.0.0.0",
        "testserver",
    ):
        assert private.get("/studies", headers={"Host": host}).status_code == 400, host
    same = {"Host": "localhost:8000", "Origin": "http://localhost:8000"}
    assert private.get("/studies", headers=same).status_code == 200
    for origin in ("http://evil.example", "http://localhost:3000", "null"):
        assert private.post("/studies/x/cancel", headers={**same, "Origin": origin}).status_code == 403, origin


def test_the_first_key_closes_a_loopback_server(
    database_url: str, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    with serving(database_url, tmp_path) as client:
        assert client.get("/studies").status_code == 200
        keys.create(engine, "ann")
        assert client.get("/studies").status_code == 401


def test_no_server_listens_for_others_without_a_key_and_data_roots(
    database_url: str, tmp_path: Path, engine: Engine
) -> None:
    with (
        pytest.raises(ValueError, match="SEEDLEAF_DATA_ROOTS"),
        running_server(make_settings(database_url, tmp_path), host="0.0.0.0", port=0),
    ):
        pass
    rooted = make_settings(database_url, tmp_path, data_roots=[tmp_path])
    with pytest.raises(ValueError, match="seedleaf key create"), running_server(rooted, host="0.0.0.0", port=0):
        pass
    require_keys(rooted.model_copy(update={"api_key": SecretStr(OPERATORS_KEY)}))
    key_id, _ = keys.create(engine, "ann")
    require_keys(rooted)
    keys.revoke(engine, key_id)
    with pytest.raises(ValueError, match="seedleaf key create"):
        require_keys(rooted)


def test_a_long_body_is_refused_before_it_is_read(private: httpx.Client) -> None:
    long = {"name": "x" * 2**20}
    assert private.post("/studies", json=long).status_code == 413
    assert private.post("/studies", content=(b"[" * 4096 for _ in range(257))).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        "[" * 1000 + "]" * 1000,
        '{"name": "\\u0000"}',
        '{"name": "\\ud800"}',
        '{"seed": 1e999}',
        f"[{2**64}]",
    ],
)
def test_json_that_nothing_could_keep_is_refused(private: httpx.Client, body: str) -> None:
    answer = private.post("/studies", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_absurd_budget_is_refused(private: httpx.Client) -> None:
    body = {"name": "x", "dataset": {"source": "sklearn"}, "budget": {"max_trials": 10**9, "epochs": 10**9}}
    fields = {error["field"] for error in private.post("/studies", json=body).json()["errors"]}
    assert fields == {"budget.max_trials", "budget.epochs"}


@pytest.mark.parametrize("path", ["/studies/%00", "/trials?study_id=%00"])
def test_a_nul_in_the_address_is_refused(private: httpx.Client, path: str) -> None:
    assert private.get(path).status_code == 400


@pytest.mark.parametrize("path", ["/", "/docs", "/studies", "/nothing", "/web/main.js", "/healthz"])
def test_every_answer_has_security_headers(private: httpx.Client, path: str) -> None:
    headers = private.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]


def test_the_reference_needs_nothing_from_elsewhere(private: httpx.Client) -> None:
    page = private.get("/docs").text
    assert "//" not in page.replace("<!doctype html>", "")
    for path in ("/web/swagger-ui/swagger-ui-bundle.js", "/web/swagger-ui/swagger-ui.css", "/web/docs.js"):
        assert path in page
        assert private.get(path).status_code == 200
    assert json.loads(private.get("/openapi.json").text)["info"]["title"] == "Seedleaf"


@pytest.mark.parametrize(
    "path", ["..%2f..%2fpyproject.toml", "..%252f..%252fpyproject.toml", "%2e%2e/%2e%2e/pyproject.toml"]
)
def test_no_path_leads_out_of_the_pages_folder(private: httpx.Client, path: str) -> None:
    assert private.get(f"/web/{path}").status_code == 404


def test_logs_say_that_ray_is_away_and_are_empty_before_a_study_has_a_job(
    database_url: str, engine: Engine, tmp_path: Path
) -> None:
    study_id = make_study(engine)
    with serving(database_url, tmp_path) as client:
        assert client.get(f"/studies/{study_id}/logs").json() == {"job": None, "ray_url": None, "text": ""}
        with engine.begin() as connection:
            studies.record_submission(connection, study_id, f"{study_id}-1", 1)
        away = client.get(f"/studies/{study_id}/logs")
        assert (away.status_code, client.get("/studies/nothing/logs").status_code) == (503, 404)
        assert client.get("/cluster").status_code == 503
        assert "Ray does not answer" in away.json()["detail"]
