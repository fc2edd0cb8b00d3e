"""Storage for files that are whole or absent: a local folder, or object storage through fsspec."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import fsspec
from fsspec.implementations.local import LocalFileSystem

from search.files import replace_file, writing_to
from services.errors import StorageError


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """``modified_s``: when it was written last, in seconds since 1970 by the storage's own clock."""

    name: str
    size_bytes: int
    modified_s: float


class BlobStorage(Protocol):
    """Files by names such as ``ab/abcd``; what lies in folders of longer names is not listed.

    StorageError where storage cannot be asked.
    """

    def address(self, name: str) -> str:
        """The path or URL of a file, for messages."""

    def read(self, name: str) -> bytes:
        """FileNotFoundError if there is no such file."""

    def write(self, name: str, content: bytes) -> None:
        """Replace what is there, if anything; others see the old file or the new one, and nothing between them."""

    def modified_s(self, name: str) -> float | None:
        """When a file was written last, as in ``StoredFile``; None if there is no such file."""

    def files(self) -> Iterator[StoredFile]: ...

    def remove(self, name: str) -> None:
        """Nothing happens if there is no such file."""


def open_storage(where: str | Path) -> BlobStorage:
    """The storage in a folder, or at a URL that fsspec knows. ValueError if no installed package can read the URL."""
    try:
        # Other processes write to the storage too: listings are not cached.
        files, root = fsspec.url_to_fs(str(where), use_listings_cache=False, skip_instance_cache=True)
    except ImportError as error:
        advice = "pip install 'seedleaf[s3]' for s3://, 'seedleaf[gcs]' for gs://"
        raise ValueError(f"{where} needs a package that is not installed ({error}): {advice}") from error
    except ValueError as error:
        raise ValueError(f"{where} is no place for files ({error}): name a folder, s3://... or gs://...") from error
    return LocalFolder(Path(root)) if isinstance(files, LocalFileSystem) else ObjectStorage(files, root.rstrip("/"))


class LocalFolder:
    """Files of a local disk, or of one that is mounted. Those that a writer left unfinished have names with a dot."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def address(self, name: str) -> str:
        return str(self._root / name)

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Whole or not at all. UnwritableError if the folder takes no files."""
        with writing_to(self._root):
            replace_file(self._root / name, content)

    def modified_s(self, name: str) -> float | None:
        try:
            return (self._root / name).stat().st_mtime
        except FileNotFoundError:
            return None

    def files(self) -> Iterator[StoredFile]:
        for path in self._root.glob("??/*"):
            with suppress(FileNotFoundError):  # an unfinished file has got its name meanwhile
                status = path.stat()
                name = f"{path.parent.name}/{path.name}"
                yield StoredFile(name=name, size_bytes=status.st_size, modified_s=status.st_mtime)

    def remove(self, name: str) -> None:
        (self._root / name).unlink(missing_ok=True)


#: The length of the folders' names.
_FOLDER_LETTERS = 2
#: When an object was written, as the listings of s3fs and gcsfs call it; other file systems are asked for each.
_MODIFIED = ("LastModified", "mtime")


class ObjectStorage:
    """Objects under a prefix. An upload is whole or absent by itself, in parts too: it is there with its last part."""

    def __init__(self, file_system: fsspec.AbstractFileSystem, root: str) -> None:
        self._files, self._root = file_system, root

    def address(self, name: str) -> str:
        return str(self._files.unstrip_protocol(self._key(name)))

    def read(self, name: str) -> bytes:
        with self._asking(FileNotFoundError):
            return bytes(self._files.cat_file(self._key(name)))

    def write(self, name: str, content: bytes) -> None:
        with self._asking():
            self._files.pipe_file(self._key(name), content)

    def modified_s(self, name: str) -> float | None:
        try:
            with self._asking(FileNotFoundError):
                info = self._files.info(self._key(name))
        except FileNotFoundError:
            return None
        return self._modified_s(self._key(name), info)

    def files(self) -> Iterator[StoredFile]:
        with self._asking():
            objects = self._files.find(self._root, detail=True)
        for key, info in objects.items():
            name = key.removeprefix(self._root).lstrip("/")
            if name.find("/") != _FOLDER_LETTERS:  # such as the weights folder
                continue
            yield StoredFile(name=name, size_bytes=info["size"], modified_s=self._modified_s(key, info))

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError), self._asking(FileNotFoundError):
            self._files.rm_file(self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _modified_s(self, key: str, info: Mapping[str, object]) -> float:
        for name in _MODIFIED:
            if isinstance(modified := info.get(name), datetime):
                return modified.timestamp()
        with self._asking():
            return float(self._files.modified(key).timestamp())

    @contextmanager
    def _asking(self, *expected: type[Exception]) -> Iterator[None]:
        try:
            yield
        except expected:
            raise
        except Exception as error:  # each file system has errors of its own
            raise StorageError(self._files.unstrip_protocol(self._root), error) from error
