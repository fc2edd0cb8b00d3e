"""The folders that a server's data may lie in, as its jobs know them: what they open must lie there.

The API checks a path when it is posted. A file or folder may be swapped for a symbolic link after that. So the check is
made again on what was opened: its descriptor tells where it lies.
"""

import fcntl
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

VARIABLE = "SEEDLEAF_DATA_ROOTS"
_LONGEST_PATH = 1024


class OutsideRootsError(OSError):
    """What was opened lies outside the data roots: put it there, or have the server's operator add a root."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"{path} leads out of the data roots of this server ({VARIABLE}): put the files themselves there, in place "
            "of a link"
        )


def as_variable(roots: Sequence[Path]) -> dict[str, str]:
    """The environment variable that tells a job the roots."""
    return {VARIABLE: json.dumps([str(root.resolve()) for root in roots])}


def data_roots(variables: Mapping[str, str] = os.environ) -> tuple[Path, ...] | None:
    """The roots of this process, links resolved; None if it may read anything."""
    return _resolved(variables[VARIABLE]) if VARIABLE in variables else None


@lru_cache(maxsize=1)
def _resolved(roots: str) -> tuple[Path, ...]:
    return tuple(Path(root).expanduser().resolve() for root in json.loads(roots))


def open_file(path: Path) -> BinaryIO:
    """A file to read from. OutsideRootsError if it lies outside the data roots; OSError as ``open`` raises it."""
    roots = data_roots()
    if roots is None:
        return path.open("rb")
    # Without O_NONBLOCK, a pipe under a file's name would hold up its reader for ever.
    descriptor = _opened(path, roots, os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a file")
    return os.fdopen(descriptor, "rb")


@contextmanager
def open_folder(path: Path) -> Iterator[int]:
    """A folder's descriptor, for ``os.scandir``. Errors as of ``open_file``."""
    descriptor = _opened(path, data_roots(), os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def require_within(path: Path) -> None:
    """OutsideRootsError if the path leads out of the data roots now; there may be nothing at it."""
    roots = data_roots()
    if roots is not None and not _is_within(path.resolve(), roots):
        raise OutsideRootsError(path)


def _opened(path: Path, roots: Sequence[Path] | None, flags: int) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        if roots is not None and not _is_within(_place_of(descriptor), roots):
            raise OutsideRootsError(path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_within(place: Path, roots: Sequence[Path]) -> bool:
    return any(place.is_relative_to(root) for root in roots)


def _place_of(descriptor: int) -> Path:
    """Where an open file or folder lies, without links."""
    if sys.platform == "darwin":
        return Path(os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(_LONGEST_PATH)).rstrip(b"\0")))
    return Path(os.readlink(f"/proc/self/fd/{descriptor}"))
