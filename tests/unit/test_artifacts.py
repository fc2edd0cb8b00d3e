"""The artifact store: what is in it is whole, and what is not whole is told."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.artifacts import ArtifactStore


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


@settings(deadline=None)
@given(content=st.binary(max_size=2000))
def test_content_comes_back_under_its_sha256(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("artifacts"))
    sha256 = store.put(content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert store.get(sha256) == content
    assert store.path(sha256).read_bytes() == content


def test_the_same_content_is_stored_once_and_left_as_it_is(store: ArtifactStore) -> None:
    sha256 = store.put(b"weights")
    before = store.path(sha256).stat()
    assert store.put(b"weights") == sha256
    assert store.path(sha256).stat() == before


def test_only_whole_files_lie_in_the_store(store: ArtifactStore, tmp_path: Path) -> None:
    stored = {store.path(store.put(bytes([number]))) for number in range(20)}
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == stored


def test_what_was_never_stored_is_absent(store: ArtifactStore) -> None:
    with pytest.raises(ValueError, match="is missing"):
        store.get(hashlib.sha256(b"other").hexdigest())


@pytest.mark.parametrize("damaged", [b"", b"weight", b"weights!", b"Weights"])
def test_damaged_content_is_an_error_that_names_the_file(store: ArtifactStore, damaged: bytes) -> None:
    sha256 = store.put(b"weights")
    store.path(sha256).write_bytes(damaged)
    with pytest.raises(ValueError, match=f"{sha256} is damaged: restore it"):
        store.get(sha256)
