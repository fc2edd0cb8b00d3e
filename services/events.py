"""The feed of events for those who watch: one connection that listens to PostgreSQL, however many watch.

Those who have read a study's events up to the same one share the query for the next.
"""

import asyncio
import contextlib
import select
import threading
from collections.abc import AsyncIterator

import psycopg2.extensions
import structlog
from sqlalchemy import Engine, text

from services.errors import BusyError
from services.records.events import Event
from services.store import events, studies

log = structlog.get_logger()
_PAGE = 500
_LISTEN_S = 1.0
#: Without a notification the table is looked at this often: a listener that was away may have missed one.
_RECHECK_S = 15.0
#: Each holds a connection of the server.
MOST_WATCHERS = 400
_RETRY_AFTER_S = 30


class EventFeed:
    """Wakes the watchers of a study when it has new events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Both are changed in the loop's thread only.
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._reads: dict[tuple[str, int], asyncio.Task[list[Event] | None]] = {}
        self._thread = threading.Thread(target=self._run, name="event-feed", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def require_place(self) -> None:
        """BusyError if as many watch as may."""
        watching = sum(map(len, list(self._watchers.values())))
        if watching >= MOST_WATCHERS:
            raise BusyError(f"{watching} streams of events are open already", retry_after_s=_RETRY_AFTER_S)

    async def watch(self, study_id: str, after: int) -> AsyncIterator[Event | None]:
        """The study's events later than ``after``, then each as it happens; None where for a while there was none.

        It ends when the study is deleted.
        """
        woken = asyncio.Event()
        self._watchers.setdefault(study_id, set()).add(woken)
        try:
            while not self._closed.is_set():
                woken.clear()
                news = await self._news(study_id, after)
                if news is None:
                    return
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
            if not self._watchers[study_id]:
                del self._watchers[study_id]

    async def _news(self, study_id: str, after: int) -> list[Event] | None:
        """The next events. A query that is under way is shared, unless something has happened since it began."""
        key = study_id, after
        read = self._reads.get(key)
        if read is None:
            read = self._reads[key] = asyncio.create_task(asyncio.to_thread(self._read, study_id, after))
            read.add_done_callback(lambda ended: self._forget(key, ended))
        return await asyncio.shield(read)

    def _forget(self, key: tuple[str, int], read: "asyncio.Task[list[Event] | None]") -> None:
        if self._reads.get(key) is read:
            del self._reads[key]
        if not read.cancelled():
            read.exception()  # whoever watches gets it; where all have left nobody does

    def _read(self, study_id: str, after: int) -> list[Event] | None:
        """None if there is no such study any more."""
        with self._engine.connect() as connection:
            news = events.list_after(connection, study_id, after, limit=_PAGE)
            return news if news or studies.exists(connection, study_id) else None

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except Exception as error:  # whatever fails, this thread must listen again later
                log.warning("event feed interrupted", error=str(error))
                self._closed.wait(_LISTEN_S)

    def _listen(self) -> None:
        assert self._loop is not None
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
                        self._loop.call_soon_threadsafe(self._wake, notification.payload)
                    connection.notifies.clear()
            finally:
                pooled.invalidate()

    def _wake(self, study_id: str) -> None:
        """Have the study's watchers read again, and none of them join a query that began before now."""
        for key in [key for key in self._reads if key[0] == study_id]:
            del self._reads[key]
        for woken in self._watchers.get(study_id, ()):
            woken.set()
