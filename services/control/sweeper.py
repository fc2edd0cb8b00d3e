"""A thread that removes the files of deleted studies: after each deletion, and what a crash or young age left over."""

import threading
from pathlib import Path

import structlog
from sqlalchemy import Engine

from services.storage.artifacts import ArtifactStore
from services.studies import deletion

log = structlog.get_logger()
PERIOD_S = 60.0


class Sweeper:
    """Several servers may sweep at a time: removing a file twice does no harm."""

    def __init__(self, engine: Engine, artifacts: ArtifactStore, checkpoints: Path) -> None:
        self._engine, self._artifacts, self._checkpoints = engine, artifacts, checkpoints
        self._closed, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Sweep now."""
        self._woken.set()

    def close(self) -> None:
        self._closed.set()
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._woken.clear()
            try:
                swept = deletion.sweep(self._engine, self._artifacts, self._checkpoints)
                if swept.files or swept.checkpoints:
                    log.info("files of deleted studies removed", files=swept.files, checkpoints=swept.checkpoints)
            except Exception as error:  # whatever fails, this thread must sweep again later
                log.warning("files of deleted studies are still there", error=str(error))
            self._woken.wait(PERIOD_S)
