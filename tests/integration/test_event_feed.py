"""Many watchers of one study: few queries, and none of them misses an event."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from services.events import EventFeed
from services.store import events
from tests.integration.records import make_study

_WATCHERS = 20


@contextmanager
def _counted_reads(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if "FROM seedleaf.events" in statement:
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _emit(engine: Engine, study_id: str, number: int) -> None:
    with engine.begin() as connection:
        events.emit(connection, study_id, "study", {"number": number})


async def _numbers(feed: EventFeed, study_id: str, last: int) -> list[int]:
    """The numbers of the events that a watcher sees, up to ``last``."""
    found: list[int] = []
    async for seen in feed.watch(study_id, 0):
        if seen is not None and "number" in seen.payload:
            found.append(int(str(seen.payload["number"])))
            if found[-1] == last:
                break
    return found


async def _watched(engine: Engine, study_id: str, count: int) -> list[list[int]]:
    """What each of the watchers has seen of ``count`` events that are written while they watch."""
    feed = EventFeed(engine)
    feed.start(asyncio.get_running_loop())
    try:
        watching = [asyncio.create_task(_numbers(feed, study_id, count - 1)) for _ in range(_WATCHERS)]
        for number in range(count):
            await asyncio.to_thread(_emit, engine, study_id, number)
        return await asyncio.wait_for(asyncio.gather(*watching), 60)
    finally:
        await asyncio.to_thread(feed.close)


def test_the_watchers_of_a_study_share_their_queries(engine: Engine) -> None:
    study_id = make_study(engine)
    with _counted_reads(engine) as reads:
        seen = asyncio.run(_watched(engine, study_id, 10))
    assert seen == [list(range(10))] * _WATCHERS
    assert len(reads) < 3 * 10 + 10, "not one for each watcher and event"


def test_no_watcher_misses_an_event(engine: Engine) -> None:
    study_id = make_study(engine)
    assert asyncio.run(_watched(engine, study_id, 200)) == [list(range(200))] * _WATCHERS
