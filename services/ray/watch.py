"""Asks Ray every two seconds whether it answers, so that no request has to wait to find out."""

import threading
from collections.abc import Sequence

import structlog

from services.ray.errors import RayError
from services.ray.jobs import Node, RayJobs

log = structlog.get_logger()
_PERIOD_S = 2.0


class RayWatch:
    """``trouble`` says why Ray cannot be used; None while it answers. Its last answer named ``nodes`` and came from
    ``address``; there are none before the first.
    """

    def __init__(self, ray_jobs: RayJobs) -> None:
        self._ray_jobs = ray_jobs
        self.trouble: str | None = "Ray has not answered yet"
        self.address = ""
        self.nodes: Sequence[Node] = ()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ray watch", daemon=True)

    def start(self) -> None:
        """Ask for the first time, then go on in a thread."""
        self._ask()
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(_PERIOD_S):
            self._ask()

    def _ask(self) -> None:
        try:
            self._ray_jobs.check()
            self.address, self.nodes = self._ray_jobs.address(), self._ray_jobs.nodes()
        except RayError as error:
            if self.trouble is None:
                log.warning("Ray is away", why=str(error))
            self.trouble = str(error)
        else:
            self.trouble = None
