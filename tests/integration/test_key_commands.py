"""``seedleaf key`` on a real database."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert
from typer.testing import CliRunner

from api.cli.main import app
from services import keys
from services.keys import KeyRing
from services.records.keys import KeyScope
from services.store.tables import api_keys


def test_keys_are_made_listed_and_revoked(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDLEAF_DATABASE_URL", database_url)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["key", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    key = run("create", "ann").strip()
    assert key in _valid(engine)
    (listed,) = json.loads(run("list", "--format", "json"))
    assert (listed["name"], listed["revoked_at"]) == ("ann", None)
    assert key not in run("list") + run("list", "--format", "csv")
    assert json.loads(run("revoke", listed["id"], "--format", "json")) == {"revoked": [listed["id"]]}
    assert key not in _valid(engine)
    again = CliRunner().invoke(app, ["key", "revoke", "ann"])
    assert "no valid key 'ann'" in str(again.exception)


def _valid(engine: Engine) -> KeyRing:
    ring = KeyRing(engine, None)
    ring.refresh()
    return ring


def test_a_key_has_a_scope_and_expires(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDLEAF_DATABASE_URL", database_url)
    arguments = ["key", "create", "ann", "--scope", "read", "--expires", "30d", "--format", "json"]
    made = json.loads(CliRunner().invoke(app, arguments).stdout)
    known = _valid(engine).find(made["key"])
    assert known is not None
    assert (known.scope, known.name.id, made["scope"]) == (KeyScope.READ, made["id"], "read")
    (key,) = keys.every(engine)
    assert key.expires_at is not None
    assert key.expires_at - key.created_at == timedelta(days=30)
    assert datetime.fromisoformat(made["expires_at"]) == key.expires_at
    table = CliRunner().invoke(app, ["key", "list"]).stdout
    assert f"{key.expires_at.astimezone(UTC):%Y-%m-%d %H:%M}" in table
    for wrong in ("30", "0d", "-1d", "1y", "9999999w", "999999w"):
        assert CliRunner().invoke(app, ["key", "create", "ann", "--expires", wrong]).exit_code == 2


def test_a_key_made_before_scopes_is_an_admin_without_an_end(engine: Engine) -> None:
    with engine.begin() as connection:
        row = {"id": "old", "name": "old", "sha256": hashlib.sha256(b"an old key").hexdigest()}
        connection.execute(insert(api_keys).values(row))
    known = _valid(engine).find("an old key")
    assert known is not None
    assert (known.scope, known.expires_at, known.is_expired) == (KeyScope.ADMIN, None, False)
