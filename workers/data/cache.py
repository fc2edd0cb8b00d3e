"""Decoded images on disk: one uint8 [n, side, side, 3] array a data set, side and manner, mapped by all who use it.

An entry is built under a temporary name and renamed when whole. Whoever builds or maps an entry holds a lock on its
file (flock: exclusive, shared), which the system lets go when the mapping or the process ends; so what can be locked
is in nobody's use, and a temporary entry that can be locked is a dead builder's.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filelock
import numpy as np

from search.files import replace_file, writing_to
from workers.data.errors import CacheFullError

#: Yields, for each row in any order, its pixels (uint8 [side, side, 3]) or why it has none.
RowSource = Callable[[], Iterator[tuple[int, "np.ndarray | str"]]]

_IMAGES = "images.npy"
_FAILURES = "failures.json"
_BUILDING = ".building-"


@dataclass(frozen=True, kw_only=True)
class CachedImages:
    """``images`` uint8 [n, side, side, 3], read-only; ``failures``: the rows left out of it, with the reason."""

    images: np.ndarray
    failures: dict[int, str]


class ImageCache:
    """Entries under ``folder``, of at most ``limit_bytes`` in all; the longest unused go first."""

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def get(self, key: str, *, shape: tuple[int, ...], rows: RowSource) -> CachedImages:
        """The entry, built first if need be; other processes that want it meanwhile wait.

        Raises CacheFullError, and UnwritableError where the disk takes no files.
        """
        with writing_to(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            return self._get(key, shape, rows)

    def _get(self, key: str, shape: tuple[int, ...], rows: RowSource) -> CachedImages:
        with filelock.FileLock(self._folder / f".{key}.lock"):
            return self._open(key) or self._build(key, shape, rows)

    def _locked(self) -> filelock.BaseFileLock:
        """For what concerns all entries; held for moments only."""
        return filelock.FileLock(self._folder / ".lock")

    def _open(self, key: str) -> CachedImages | None:
        entry = self._folder / key
        with self._locked():
            if not entry.exists():
                return None
            with (entry / _IMAGES).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                os.utime(file.fileno())
                return CachedImages(images=_map(file), failures=_read_failures(entry))

    def _build(self, key: str, shape: tuple[int, ...], rows: RowSource) -> CachedImages:
        building = self._folder / f"{_BUILDING}{key}"
        with self._reserved(building, shape) as file:
            failures = _write_rows(file, shape, rows())
            replace_file(building / _FAILURES, json.dumps(failures).encode())
            os.fsync(file.fileno())
            with self._locked():
                building.rename(self._folder / key)
            fcntl.flock(file, fcntl.LOCK_SH)
            return CachedImages(images=_map(file), failures=failures)

    @contextmanager
    def _reserved(self, building: Path, shape: tuple[int, ...]) -> Iterator[BinaryIO]:
        """The new entry's file, of its full size; the entry goes if the block fails."""
        with self._locked():
            shutil.rmtree(building, ignore_errors=True)
            self._make_room(int(np.prod(shape)))
            building.mkdir()
            file = (building / _IMAGES).open("w+b")
            fcntl.flock(file, fcntl.LOCK_EX)
            offset = _write_header(file, shape)
            os.ftruncate(file.fileno(), offset + int(np.prod(shape)))
        with file:
            try:
                yield file
            except BaseException:  # an interrupt, too, leaves no entry behind
                shutil.rmtree(building, ignore_errors=True)
                raise

    def _make_room(self, size_bytes: int) -> None:
        """Deletes dead builders' entries, then the longest unused ones, until so many bytes more fit."""
        entries = sorted(self._folder.glob(f"*/{_IMAGES}"), key=_eviction_order)
        used_bytes = sum(images.stat().st_size for images in entries)
        for images in entries:
            dead = images.parent.name.startswith(_BUILDING)
            if (dead or used_bytes + size_bytes > self._limit_bytes) and _in_nobodys_use(images):
                used_bytes -= images.stat().st_size
                shutil.rmtree(images.parent)
        if used_bytes + size_bytes > self._limit_bytes:
            raise CacheFullError(
                f"the cache in {self._folder} may hold {self._limit_bytes} bytes; {used_bytes} are in use and this"
                f" data set needs {size_bytes}: raise the limit, choose a smaller image size, or end other studies"
            )


def _eviction_order(images: Path) -> tuple[bool, float]:
    return not images.parent.name.startswith(_BUILDING), images.stat().st_mtime


def _in_nobodys_use(images: Path) -> bool:
    with images.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _write_header(file: BinaryIO, shape: Sequence[int]) -> int:
    """Of the same length for any number of rows, so that it can be written again. Returns the length."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)})
    file.flush()
    return file.tell()


def _write_rows(
    file: BinaryIO, shape: tuple[int, ...], rows: Iterator[tuple[int, "np.ndarray | str"]]
) -> dict[int, str]:
    """Writes each row where it belongs, then closes the gaps that failed rows leave."""
    offset = file.tell()
    row_bytes = int(np.prod(shape[1:]))
    failures: dict[int, str] = {}
    for row, pixels in rows:
        if isinstance(pixels, str):
            failures[row] = pixels
        else:
            os.pwrite(file.fileno(), pixels.tobytes(), offset + row * row_bytes)
    if failures:
        _close_gaps(file, offset, row_bytes, [row for row in range(shape[0]) if row not in failures])
        _write_header(file, (shape[0] - len(failures), *shape[1:]))
    return dict(sorted(failures.items()))


def _close_gaps(file: BinaryIO, offset: int, row_bytes: int, kept: Sequence[int]) -> None:
    for target, row in enumerate(kept):
        if row != target:
            pixels = os.pread(file.fileno(), row_bytes, offset + row * row_bytes)
            os.pwrite(file.fileno(), pixels, offset + target * row_bytes)
    os.ftruncate(file.fileno(), offset + len(kept) * row_bytes)


def _map(file: BinaryIO) -> np.ndarray:
    """Maps through this very file handle: the mapping keeps a duplicate of it, and with it the lock."""
    file.seek(0)
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return np.memmap(file, dtype, mode="r", shape=shape, offset=file.tell())


def _read_failures(entry: Path) -> dict[int, str]:
    return {int(row): reason for row, reason in json.loads((entry / _FAILURES).read_text()).items()}
