"""The artifact store, one contract for every storage: what is in it is whole, and what is not whole is told."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import ArtifactError, StorageError
from services.settings import Settings
from services.storage.artifacts import ArtifactStore
from services.storage.blob_storage import BlobStorage, LocalFolder, open_storage
from tests.faults.cluster import free_port
from tests.object_storage import AWAY, S3_ACCOUNT, s3_server


@pytest.fixture(params=["folder", "memory", "s3"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """A storage: a local folder, and two file systems of fsspec, of which one is a server's."""
    if request.param == "folder":
        return tmp_path / "artifacts"
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket_url')}/prefix"
    return f"memory://{uuid4()}"


@pytest.fixture
def store(where: str | Path) -> ArtifactStore:
    return ArtifactStore(where)


@pytest.fixture
def storage(where: str | Path) -> BlobStorage:
    return open_storage(where)


def _name(content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    return f"{sha256[:2]}/{sha256}"


@settings(deadline=None)
@given(content=st.binary(max_size=2000))
def test_content_comes_back_under_its_sha256(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("artifacts"))
    sha256 = store.put(content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert store.get(sha256) == content


def test_only_whole_files_lie_in_the_store(store: ArtifactStore, storage: BlobStorage) -> None:
    contents = [bytes([number]) for number in range(20)]
    for content in contents:
        assert store.get(store.put(content)) == content
    assert {file.name for file in storage.files()} == {_name(content) for content in contents}
    assert all(storage.read(_name(content)) == content for content in contents)


def test_the_same_content_is_stored_once_and_counts_as_new(store: ArtifactStore, storage: BlobStorage) -> None:
    store.put(b"weights")
    (before,) = storage.files()
    store.put(b"weights")
    (after,) = storage.files()
    assert (after.name, after.size_bytes) == (before.name, before.size_bytes) == (_name(b"weights"), 7)
    assert after.modified_s >= before.modified_s


def test_what_was_never_stored_is_missing(store: ArtifactStore) -> None:
    sha256 = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(ArtifactError, match=f"{sha256} is missing: restore it"):
        store.get(sha256)


@pytest.mark.parametrize("damaged", [b"", b"weight", b"weights!", b"Weights"])
def test_damaged_content_is_told_and_repaired_by_storing_it_again(
    store: ArtifactStore, storage: BlobStorage, damaged: bytes
) -> None:
    sha256 = store.put(b"weights")
    storage.write(_name(b"weights"), damaged)
    with pytest.raises(ArtifactError, match=f"{sha256} is damaged: restore it"):
        store.get(sha256)
    store.put(b"weights")
    assert store.get(sha256) == b"weights"


def test_files_are_listed_by_their_age_as_they_are_now_and_removed_by_their_names(store: ArtifactStore) -> None:
    first = store.put(b"first")
    assert list(store.files(older_than_s=0)) == [(first, 5)]
    second = store.put(b"second")
    assert sorted(store.files(older_than_s=0)) == sorted([(first, 5), (second, 6)])
    assert not list(store.files(older_than_s=3600))
    store.remove([first, first])
    assert list(store.files(older_than_s=0)) == [(second, 6)]


def test_a_file_url_is_a_local_folder(tmp_path: Path) -> None:
    folder = open_storage(tmp_path.as_uri())
    assert isinstance(folder, LocalFolder)
    assert folder.address("ab/abc") == str(tmp_path / "ab" / "abc")


def test_a_url_that_names_no_storage_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match=r"name a folder, s3://\.\.\. or gs://"):
        ArtifactStore("nowhere://bucket")


def test_a_url_whose_package_is_not_installed_says_how_to_install_it() -> None:
    with pytest.raises(ValueError, match=r"ocifs.*: pip install 'seedleaf\[s3\]' for s3://"):
        ArtifactStore("oci://bucket@namespace")


def test_storage_that_does_not_answer_is_told_apart_from_a_missing_file(
    bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in AWAY.items():
        monkeypatch.setenv(name, value)
    bucket = open_storage(bucket_url)
    for ask in (lambda: bucket.write("ab/ab", b""), lambda: bucket.read("ab/ab"), lambda: list(bucket.files())):
        with pytest.raises(StorageError, match=rf"{bucket_url} cannot be reached .*: try again"):
            ask()


def test_what_is_to_be_stored_waits_for_the_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The storage is a server that is started after the first attempt to reach it."""
    port = free_port()
    for name, value in {**S3_ACCOUNT, **AWAY, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}.items():
        monkeypatch.setenv(name, value)
    store = ArtifactStore("s3://late/prefix")
    with ThreadPoolExecutor(1) as pool:
        stored = pool.submit(store.put, b"weights")
        with pytest.raises(StorageError):
            open_storage("s3://late").read("ab/ab")
        with s3_server(port):
            fsspec.filesystem("s3", skip_instance_cache=True).mkdir("late")
            assert store.get(stored.result(timeout=60)) == b"weights"


def test_a_bucket_that_is_absent_takes_nothing(bucket_url: str) -> None:
    with pytest.raises(StorageError, match="bucket does not exist"):
        open_storage(f"{bucket_url}-absent").write("ab/ab", b"weights")


@pytest.mark.parametrize(
    ("changes", "sent"),
    [({}, {}), ({"artifacts_url": "s3://bucket/prefix"}, {"SEEDLEAF_ARTIFACTS_URL": "s3://bucket/prefix"})],
)
def test_jobs_of_another_cluster_are_told_where_artifacts_are(changes: dict[str, str], sent: dict[str, str]) -> None:
    url = "postgresql://localhost/seedleaf"
    config = Settings.model_validate({"database_url": url, **changes})
    assert config.for_jobs() == {"SEEDLEAF_DATABASE_URL": url, **sent}


def test_a_relative_folder_is_no_url_for_jobs_that_run_elsewhere() -> None:
    with pytest.raises(ValueError, match="artifacts_url"):
        Settings.model_validate({"artifacts_url": "artifacts"})
