"""The artifact store: files named by their content's sha256, in a local folder or in object storage."""

import hashlib
import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from services.errors import ArtifactError, StorageError
from services.storage.blob_storage import open_storage

#: How long a file waits for a storage that does not answer: without it, what it came from has to be computed again.
_PATIENCE_S = 300.0


class ArtifactStore:
    """Files of a service at ``where``, a folder or a URL. StorageError where object storage cannot be asked, and
    UnwritableError where a folder takes no files.

    ValueError if nothing here can read such a URL.
    """

    def __init__(self, where: str | Path) -> None:
        self._storage = open_storage(where)

    @retry(
        retry=retry_if_exception_type(StorageError),
        wait=wait_exponential(max=10),
        stop=stop_after_delay(_PATIENCE_S),
        reraise=True,
    )
    def put(self, content: bytes) -> str:
        """Store ``content``, whole or not at all, and return its sha256.

        It is written even if it is there: a damaged file is repaired, and it counts as new, so that it is not collected
        before a row names it again.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        self._storage.write(_path_of(sha256), content)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The content, checked against its name; ArtifactError if the file is damaged or missing."""
        path = _path_of(sha256)
        try:
            content = self._storage.read(path)
        except FileNotFoundError as error:
            raise ArtifactError(self._storage.address(path), "missing") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ArtifactError(self._storage.address(path), "damaged")
        return content

    def files(self, *, older_than_s: float) -> Iterator[tuple[str, int]]:
        """The name and the size in bytes of every file, finished or not, that is older than that."""
        limit = time.time() - older_than_s
        for file in self._storage.files():
            if file.modified_s <= limit:
                yield file.name.rpartition("/")[2], file.size_bytes

    def age_s(self, sha256: str) -> float:
        """How long ago a file was stored last, in seconds; infinite if there is no such file."""
        modified_s = self._storage.modified_s(_path_of(sha256))
        return math.inf if modified_s is None else time.time() - modified_s

    def remove(self, names: Iterable[str]) -> None:
        """Remove files by the names that ``files`` gave them."""
        for name in names:
            self._storage.remove(_path_of(name))


def _path_of(name: str) -> str:
    """A file's folder is called by its first two letters; what is unfinished has a dot before them."""
    return f"{name.removeprefix('.')[:2]}/{name}"
