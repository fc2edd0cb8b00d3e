"""The feed of events for those who watch: one connection that listens to PostgreSQL, however many watch."""

import asyncio
import contextlib
import select
import threading
from collections import defaultdict
from collections.abc import AsyncIterator

import psycopg2.extensions
import structlog
from sqlalchemy import Engine, text

from services.records.events import Event
from services.store import events

log = structlog.get_logger()
_PAGE = 500
_LISTEN_S = 1.0
#: Without a notification the table is looked at this often: a listener that was away may have missed one.
_RECHECK_S = 15.0


class EventFeed:
    """Wakes the watchers of a study when it has new events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._thread = threading.Thread(target=self._run, name="event-feed", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    async def watch(self, study_id: str, after: int) -> AsyncIterator[Event | None]:
        """The study's events later than ``after``, then each as it happens; None where for a while there was none."""
        woken = asyncio.Event()
        self._watchers[study_id].add(woken)
        try:
            while not self._closed.is_set():
                woken.clear()
                news = await asyncio.to_thread(self._read, study_id, after)
                for event in news:
                    after = event.id
                    yield event
                if news:
                    continue
                try:
                    await asyncio.wait_for(woken.wait(), _RECHECK_S)
                except TimeoutError:
                    yield None
        finally:
            self._watchers[study_id].discard(woken)

    def _read(self, study_id: str, after: int) -> list[Event]:
        with self._engine.connect() as connection:
            return events.list_after(connection, study_id, after, limit=_PAGE)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except Exception as error:  # whatever fails, this thread must listen again later
                log.warning("event feed interrupted", error=str(error))
                self._closed.wait(_LISTEN_S)

    def _listen(self) -> None:
        with contextlib.closing(self._engine.raw_connection()) as pooled:
            connection = pooled.driver_connection
            assert isinstance(connection, psycopg2.extensions.connection)
            connection.set_isolation_level(0)
            pooled.cursor().execute(str(text(f"LISTEN {events.CHANNEL}")))
            try:
                while not self._closed.is_set():
                    if select.select([connection], [], [], _LISTEN_S)[0]:
                        connection.poll()
                    for notification in connection.notifies:
                        self._wake(notification.payload)
                    connection.notifies.clear()
            finally:
                pooled.invalidate()

    def _wake(self, study_id: str) -> None:
        assert self._loop is not None
        for woken in list(self._watchers.get(study_id, ())):
            self._loop.call_soon_threadsafe(woken.set)
