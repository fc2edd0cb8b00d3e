"""Limits on the size, depth and characters of a request, checked before it is parsed further."""

import json
import math
from collections.abc import Iterator

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.server import errors

MAX_BODY_BYTES = 2**20
MAX_DEPTH = 64
MAX_VALUES = 20_000
_BEYOND_64_BITS = 2**63


class Limits:
    """Middleware that rejects long bodies (413), deeply nested JSON, and values that PostgreSQL cannot store (422)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await errors.problem(400, "the address holds a NUL character")(scope, receive, send)
            return
        try:
            body = await _body(Request(scope, receive))
        except ClientDisconnect:
            return
        if body is None:
            refusal = errors.problem(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
            await refusal(scope, receive, send)
        elif complaint := document_problem(body):
            await errors.problem(422, complaint)(scope, receive, send)
        else:
            await self._app(scope, _replay(body, receive), send)


async def _body(request: Request) -> bytes | None:
    """The body; None as soon as it is longer than allowed."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return unread.pop() if unread else await receive()

    return replay


def document_problem(body: bytes) -> str | None:
    """The first violated limit of a JSON document, or None. Routes report invalid JSON themselves."""
    try:
        document = json.loads(body)
    except RecursionError:
        return f"the JSON is nested deeper than {MAX_DEPTH} levels"
    except ValueError:
        return None
    return next(_problems(document, texts_to_check=b"\\u" in body or not body.isascii()), None)


def _problems(document: object, *, texts_to_check: bool) -> Iterator[str]:
    """Every violated limit of any part of a document. Plain ASCII without escapes has no invalid text."""
    rest: list[tuple[object, int]] = [(document, 0)]
    seen = 0
    while rest:
        value, depth = rest.pop()
        seen += 1
        if seen + len(rest) > MAX_VALUES:
            yield f"the JSON holds more than {MAX_VALUES} values"
        elif depth > MAX_DEPTH:
            yield f"the JSON is nested deeper than {MAX_DEPTH} levels"
        elif isinstance(value, str):
            if texts_to_check and not _is_text(value):
                yield "a text holds a NUL character or half of a surrogate pair"
        elif isinstance(value, dict):
            rest += [(part, depth + 1) for part in value.values()]
            if texts_to_check:
                rest += [(key, depth + 1) for key in value]
        elif isinstance(value, list):
            rest += [(part, depth + 1) for part in value]
        elif isinstance(value, int | float) and not _is_number(value):
            yield "a number is not finite, or an integer beyond 64 bits"


def _is_text(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_number(value: float) -> bool:
    return -_BEYOND_64_BITS <= value < _BEYOND_64_BITS if isinstance(value, int) else math.isfinite(value)
