"""The artifact store: files named by their content's sha256 under one folder, whole or absent."""

import hashlib
import os
import tempfile
from pathlib import Path


class ArtifactStore:
    """Files of a service under ``root``. Writing the same content again changes nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        """Store ``content`` and return its sha256: to a temporary name, flushed to the disk, then renamed."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if target.exists():
            return sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".writing-", delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).rename(target)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The content, checked against its name; ValueError if the disk holds something else."""
        content = self.path(sha256).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"{self.path(sha256)} is damaged: restore it from a backup, or run its trial again")
        return content
