"""Watches what this process has started, and starts it again when it has died."""

import threading
from collections.abc import Mapping
from typing import Protocol

import structlog

log = structlog.get_logger()
_PERIOD_S = 0.5
_LONGEST_WAIT_S = 30.0


class Supervised(Protocol):
    """Something that runs beside this process. ``start`` may raise; it is tried again then."""

    def is_running(self) -> bool: ...

    def start(self) -> None: ...


class Supervisor:
    """Looks at each of its parts twice a second, in a thread of its own. ``restarts`` counts, by part."""

    def __init__(self, parts: Mapping[str, Supervised]) -> None:
        self.restarts = dict.fromkeys(parts, 0)
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=[name, part], name=f"supervises {name}", daemon=True)
            for name, part in parts.items()
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Start nothing again from now on: what ends is meant to end."""
        self._closed.set()

    def close(self) -> None:
        """Stop, and wait for what is being started."""
        self.stop()
        for thread in self._threads:
            thread.join()

    def _watch(self, name: str, part: Supervised) -> None:
        failures = 0
        while not self._closed.wait(min(_PERIOD_S * 2**failures, _LONGEST_WAIT_S)):
            if part.is_running():
                continue
            log.warning("it has died: starting it again", part=name)
            try:
                part.start()
            except Exception as error:  # whatever fails, it is tried again
                failures += 1
                log.warning("it does not start", part=name, why=str(error))
            else:
                failures = 0
                self.restarts[name] += 1
                log.info("it runs again", part=name)
