"""Folders for sockets and temporary files, which no other user of the machine can enter."""

import os
import stat
import tempfile
from pathlib import Path


def make_private_folder(prefix: str) -> Path:
    """A new folder with a short, unpredictable name: paths of sockets have at most about 100 bytes."""
    return Path(tempfile.mkdtemp(prefix=prefix))


def is_private(folder: Path, *, owner: int | None = None) -> bool:
    """Whether this is a real folder, no link, that only its ``owner`` can enter: by default this process's user."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    owned = status.st_uid == (os.geteuid() if owner is None else owner)
    return stat.S_ISDIR(status.st_mode) and owned and not status.st_mode & 0o077


def write_private_file(path: Path, content: str) -> None:
    """Write a file that only this process's user can read; readers see the old content or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w") as file:
        file.write(content)
    os.replace(name, path)
