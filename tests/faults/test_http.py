"""Faults that come in by HTTP: a database that takes no writes, the same POST many times, hostile input (8, 14, 19)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, make_url, text

from services.database import make_engine
from services.storage.artifacts import ArtifactStore
from tests.acceptance.studies import tiny_study
from tests.faults.invariants import check_invariants, witness
from tests.integration.records import make_study
from tests.integration.security import serving

AT_ONCE = 50


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "way-out").symlink_to("/etc")
    with serving(database_url, tmp_path, data_roots=[tmp_path / "data"]) as client:
        yield client


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """The database takes no writes, and every connection to it is a new one."""
    name = make_url(url).database
    admin = make_engine(make_url(url).set(database="postgres").render_as_string(hide_password=False))

    def set_to(value: str) -> None:
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}"))
            terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(text(terminate), {"name": name})

    set_to("on")
    try:
        yield
    finally:
        set_to("off")
        admin.dispose()


def test_a_database_that_takes_no_writes_leaves_the_api_alive_but_not_ready(
    client: httpx.Client, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    study_id = make_study(engine)
    before = witness(engine)
    with read_only(database_url):
        answers = [client.get("/healthz"), client.get("/readyz"), client.post("/studies", json=tiny_study())]
        assert [answer.status_code for answer in answers] == [200, 503, 503]
        assert all("takes no writes" in answer.json()["detail"] for answer in answers[1:])
        assert client.get(f"/studies/{study_id}").json()["state"] == "RUNNING"
    assert client.get("/readyz").json()["detail"] == "Ray does not answer: try again in a few seconds"
    check_invariants(engine, ArtifactStore(tmp_path), before)


def test_a_listing_that_would_take_too_long_is_refused_with_what_to_do(
    database_url: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.database.READ_LIMIT_MS", 200)
    with serving(database_url, tmp_path) as client:
        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE seedleaf.trials IN ACCESS EXCLUSIVE MODE"))
            answer = client.get("/trials", params={"where": "f1>=0.8"})
        assert answer.status_code == 503
        assert "study_id" in answer.json()["detail"]
        assert client.get("/trials").json()["items"] == []


def test_the_same_post_50_times_at_once_makes_one_study(client: httpx.Client, engine: Engine, tmp_path: Path) -> None:
    barrier = Barrier(AT_ONCE)

    def post(_: int) -> tuple[int, str]:
        barrier.wait()
        answer = client.post("/studies", json=tiny_study(), headers={"Idempotency-Key": "one"}, timeout=60)
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = set(pool.map(post, range(AT_ONCE)))
    assert len(answers) == 1
    assert client.post("/studies", json=tiny_study(name="other"), headers={"Idempotency-Key": "one"}).status_code == 422
    assert len(client.get("/studies").json()["items"]) == 1
    check_invariants(engine, ArtifactStore(tmp_path), witness(engine))


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": {"source": "folder", "path": "/etc"}},
        {"dataset": {"source": "folder", "path": "ROOT/../../../etc"}},
        {"dataset": {"source": "folder", "path": "ROOT/%252e%252e/%252e%252e/etc"}},
        {"dataset": {"source": "folder", "path": "ROOT/way-out"}},
        {"dataset": {"source": "folder", "path": "https://169.254.169.254/latest"}},
        {"budget": {"max_trials": 10**9, "epochs": 1}},
        {"space": {"image_size": 10**6}},
        {"name": "nul\0"},
    ],
    ids=lambda changes: str(next(iter(changes.values()))),
)
def test_hostile_studies_are_refused_and_leave_nothing(
    client: httpx.Client, engine: Engine, tmp_path: Path, changes: dict[str, Any]
) -> None:
    spec = tiny_study(**changes)
    place = spec["dataset"].get("path", "")
    spec["dataset"] |= {"path": place.replace("ROOT", str(tmp_path / "data"))} if place else {}
    answer = client.post("/studies", json=spec)
    assert answer.status_code == 422, answer.text
    assert not client.get("/studies").json()["items"]
    check_invariants(engine, ArtifactStore(tmp_path), witness(engine))


@pytest.mark.parametrize(
    "path", ["/artifacts/..%2f..%2f.env", "/artifacts/%252e%252e%252f.env", "/web/%2e%2e/%2e%2e/pyproject.toml"]
)
def test_no_address_leads_to_another_file(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_json_nested_a_thousand_deep_is_refused(client: httpx.Client) -> None:
    body = '{"name": ' + "[" * 1000 + "]" * 1000 + "}"
    answer = client.post("/studies", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413, 422)
