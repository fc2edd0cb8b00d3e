"""A thread that repeats a small piece of work until it is closed."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class Heartbeat:
    """Calls ``beat`` every ``period_s`` seconds until it returns False or ``close`` is called.

    What ``beat`` raises is logged and it is tried again: the database may be away for a while, and the length of a
    lease is the patience for that.
    """

    def __init__(self, name: str, beat: Callable[[], bool], *, period_s: float) -> None:
        self._beat, self._period_s = beat, period_s
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(self._period_s):
            try:
                if not self._beat():
                    return
            except Exception as error:  # the lease outlasts a database that is away for a while
                log.warning("heartbeat failed", name=self._thread.name, error=str(error))

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
