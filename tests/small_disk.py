"""A small disk of its own (tmpfs), which a test can fill and make read-only. Skipped where nothing can be mounted."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_FILLER = ".filler"


class SmallDisk:
    """What is mounted at ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / _FILLER).open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(os.statvfs(self.folder).f_frsize))

    def free(self) -> None:
        (self.folder / _FILLER).unlink()

    def make_read_only(self, *, read_only: bool = True) -> None:
        _run("mount", "-o", f"remount,{'ro' if read_only else 'rw'}", str(self.folder))


@contextmanager
def small_disk(folder: Path, *, mebibytes: int = 8) -> Iterator[SmallDisk]:
    """Mounted in this block."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root only")
    options = f"size={mebibytes}m,mode=0777"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
