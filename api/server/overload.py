"""A bound on the requests that are worked on at a time: the others are asked to come again."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.server import errors

#: A small server answers so many within a second or two.
MOST_REQUESTS = 200
_RETRY_AFTER_S = 1
_ALWAYS = ("/healthz",)


class Overload:
    """Middleware that answers 503 with Retry-After while ``most`` requests wait for their answer to begin.

    A stream of events counts until its first byte only; ``EventFeed`` bounds how many there are.
    """

    def __init__(self, app: ASGIApp, *, most: int = MOST_REQUESTS) -> None:
        self._app, self._most, self._waiting = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._waiting >= self._most:
            refusal = errors.problem(503, "the server has too much to do", retry_after_s=_RETRY_AFTER_S)
            await refusal(scope, receive, send)
            return
        waits = True
        self._waiting += 1

        def answered() -> None:
            nonlocal waits
            self._waiting -= waits
            waits = False

        async def send_counted(message: Message) -> None:
            answered()
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            answered()
