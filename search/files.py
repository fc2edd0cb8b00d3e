"""Files that are written whole or not at all, and the error of a disk that takes none."""

import errno
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

#: A full disk, a used-up quota, a read-only file system, missing rights.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES})


class UnwritableError(Exception):
    """A folder of Seedleaf's own takes no files: work that needs it can go on once there is room.

    ``host`` is the machine that found it so, ``number`` the system's ``errno``.
    """

    def __init__(self, folder: str, host: str, number: int) -> None:
        super().__init__(folder, host, number)
        self.folder, self.host, self.number = folder, host, number

    def __str__(self) -> str:
        why = os.strerror(self.number)
        return f"{self.folder} on {self.host} takes no files ({why}): make room there, or let it be written to"


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Nothing but writes to ``folder`` in the block: UnwritableError where the disk is full or may not be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise UnwritableError(str(folder), socket.gethostname(), error.errno) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file, which takes the name ``path`` once the block has ended and its bytes are on the disk.

    Until then it has a hidden name beside ``path``: a reader sees the old file, the new one or none. If the block
    fails, the old file stays.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as ``replacing`` does, and make the folders that are missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(data)


def flush_to_disk(path: Path) -> None:
    """Of a file or folder that was written: return when it is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
