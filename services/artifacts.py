"""The artifact store: files named by their content's sha256 under one folder, whole or absent."""

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path


class ArtifactStore:
    """Files of a service under ``root``. Writing the same content again repairs it at most."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        """Store ``content`` and return its sha256: under a temporary name, flushed to the disk, then renamed.

        What is there already counts as new, so that it is not collected before a row names it again.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if target.exists() and target.read_bytes() == content:
            target.touch()
            return sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{sha256}.{secrets.token_hex(4)}")
        try:
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(target)
        finally:
            unfinished.unlink(missing_ok=True)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The content, checked against its name; ValueError if the disk holds something else, or nothing."""
        path = self.path(sha256)
        if not path.exists():
            raise ValueError(f"{path} is missing: restore it from a backup, or run its trial again")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"{path} is damaged: restore it from a backup, or run its trial again")
        return content

    def files(self, *, older_than_s: float) -> Iterator[tuple[str, int]]:
        """The name and the size in bytes of every file, finished or not, that is older than that."""
        limit = time.time() - older_than_s
        for path in self._root.glob("??/*"):
            status = path.stat()
            if status.st_mtime <= limit:
                yield path.name, status.st_size

    def remove(self, names: Iterable[str]) -> None:
        """Remove files by the names that ``files`` gave them."""
        for name in names:
            self.path(name.removeprefix(".")).with_name(name).unlink(missing_ok=True)
