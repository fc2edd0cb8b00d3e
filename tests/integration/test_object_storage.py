"""Artifacts in object storage, a real S3 server: a server hands them out, and ``seedleaf gc`` lets go of them."""

import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from api.cli.main import app
from services.storage.artifacts import ArtifactStore
from services.storage.blob_storage import open_storage
from services.storage.retention import collect
from services.store import variants
from tests.integration.records import make_study, make_trial
from tests.integration.security import serving
from tests.object_storage import AWAY

WEIGHTS = b"weights " * 2**17
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def url(bucket_url: str) -> str:
    return f"{bucket_url}/seedleaf"


@pytest.fixture
def artifact_path(engine: Engine) -> str:
    """Where a server hands out the weights."""
    trial_id = make_trial(engine, make_study(engine))
    named = {"id": "artifact_1", "sha256": SHA256, "kind": "weights", "size_bytes": len(WEIGHTS), "trial_id": trial_id}
    with engine.begin() as connection:
        variants.add_artifact(connection, named)
    return "/artifacts/artifact_1"


def test_a_server_hands_out_what_lies_in_the_bucket_and_nothing_damaged(
    url: str, artifact_path: str, database_url: str, tmp_path: Path
) -> None:
    ArtifactStore(url).put(WEIGHTS)
    with serving(database_url, tmp_path, artifacts_url=url) as client:
        answer = client.get(artifact_path)
        assert (answer.status_code, answer.content) == (200, WEIGHTS)
        assert answer.headers["content-disposition"] == f'attachment; filename="weights-{SHA256[:12]}.safetensors"'
        known = {"If-None-Match": answer.headers["etag"]}
        assert client.get(artifact_path, headers=known).status_code == 304
        open_storage(url).write(f"{SHA256[:2]}/{SHA256}", WEIGHTS[1:])
        damaged = client.get(artifact_path)
    assert (damaged.status_code, damaged.headers["content-type"]) == (500, "application/problem+json")
    assert f"{url}/{SHA256[:2]}/{SHA256} is damaged: restore it from a backup" in damaged.json()["detail"]
    assert not (tmp_path / "artifacts").exists()


def test_a_server_whose_bucket_does_not_answer_says_to_try_again(
    url: str, artifact_path: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in AWAY.items():
        monkeypatch.setenv(name, value)
    with serving(database_url, tmp_path, artifacts_url=url) as client:
        answer = client.get(artifact_path)
    assert answer.status_code == 503
    assert "try again in a few seconds" in answer.json()["detail"]


@pytest.mark.usefixtures("artifact_path")
def test_what_no_row_names_leaves_the_bucket_once_it_is_old(engine: Engine, url: str) -> None:
    store = ArtifactStore(url)
    store.put(WEIGHTS)
    orphan = store.put(b"orphan")
    assert collect(engine, store, older_than_days=0, dry_run=False).files == 0
    collected = collect(engine, store, older_than_days=0, dry_run=False, grace_s=0)
    assert (collected.files, collected.size_bytes) == (1, len(b"orphan"))
    assert store.get(SHA256) == WEIGHTS
    with pytest.raises(ValueError, match="is missing"):
        store.get(orphan)


def test_the_command_finds_the_bucket_by_the_setting(
    database_url: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"DATABASE_URL": database_url, "HOME": str(tmp_path), "ARTIFACTS_URL": url}
    for name, value in settings.items():
        monkeypatch.setenv(f"SEEDLEAF_{name}", value)
    result = CliRunner().invoke(app, ["gc", "--format", "json"])
    assert json.loads(result.stdout)["files"] == 0
    monkeypatch.setenv("SEEDLEAF_ARTIFACTS_URL", "nowhere://bucket")
    result = CliRunner().invoke(app, ["gc"])
    assert "nowhere://bucket is no place for files" in str(result.exception)
