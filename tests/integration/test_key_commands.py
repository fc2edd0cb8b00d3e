"""``seedleaf key`` on a real database."""

import json

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from api.cli.main import app
from services.keys import KeyRing


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
