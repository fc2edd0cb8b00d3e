"""Whether a folder takes files: found out by writing one, as free bytes alone say nothing of rights and quotas."""

import os
import tempfile
from pathlib import Path

_PROBE_BYTES = 2**20


def takes_files(folder: Path) -> bool:
    """Write a file of 1 MiB to the folder, or to the one that it would be made in, and delete it."""
    while not folder.is_dir():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".room-") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True
