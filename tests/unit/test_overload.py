"""Requests beyond the bound are asked to come again, and the bound counts what waits for an answer only."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.types import Receive, Scope, Send

from api.server.overload import Overload


class Held:
    """An application that begins its answers when ``go`` is set and ends them when ``end`` is."""

    def __init__(self) -> None:
        self.go, self.end = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.end.wait()
        await send({"type": "http.response.body", "body": b""})


async def _status(app: Overload, path: str = "/studies") -> tuple[int, dict[bytes, bytes]]:
    messages: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    await app({"type": "http", "path": path, "headers": []}, receive, send)
    return messages[0]["status"], dict(messages[0]["headers"])


def test_a_request_too_many_gets_503_with_retry_after_and_the_next_one_after_an_answer_does_not() -> None:
    async def scenario() -> None:
        held = Held()
        app = Overload(held, most=2)
        working = [asyncio.create_task(_status(app)) for _ in range(2)]
        await asyncio.sleep(0)
        status, headers = await _status(app)
        assert (status, headers[b"retry-after"]) == (503, b"1")
        held.go.set()
        held.end.set()
        assert [status for status, _ in await asyncio.gather(*working)] == [200, 200]
        assert (await _status(app))[0] == 200

    asyncio.run(scenario())


def test_an_answer_that_has_begun_takes_no_place() -> None:
    async def scenario() -> None:
        held = Held()
        app = Overload(held, most=1)
        held.go.set()
        streams = [asyncio.create_task(_status(app)) for _ in range(2)]
        await asyncio.sleep(0)
        held.end.set()
        assert [status for status, _ in await asyncio.gather(*streams)] == [200, 200]

    asyncio.run(scenario())


def test_a_full_server_is_still_alive() -> None:
    async def scenario() -> None:
        held = Held()
        app = Overload(held, most=0)
        held.go.set()
        held.end.set()
        assert (await _status(app, "/healthz"))[0] == 200
        assert (await _status(app))[0] == 503

    asyncio.run(scenario())
