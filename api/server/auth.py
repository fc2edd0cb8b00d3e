"""Authentication: requests carry a bearer key; a loopback server that never had keys answers this machine only.

Every path needs a key but those in ``OPEN_PATHS`` and below ``OPEN_FOLDER``, which hold no data. A path that is not
listed is protected, whichever way it was added to the application.
"""

import asyncio
from datetime import UTC
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.server import errors
from api.server.scopes import CALLER
from services.database import make_engine, migrate
from services.keys import KeyRing
from services.local.backends import database
from services.records.keys import KnownKey
from services.settings import Settings

OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json"})
OPEN_FOLDER = "/web/"
#: A status code and what is wrong.
Refusal = tuple[int, str]
#: For the database to tell the keys; the paths that need none are answered soon, also while it is stuck.
PATIENCE_S = 10.0
OPEN_PATIENCE_S = 1.0


def is_loopback(host: str | None) -> bool:
    """Whether a host name means this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def require_keys(config: Settings) -> None:
    """ValueError if a server that others can reach would have no key or no data roots."""
    if config.data_roots is None:
        raise ValueError(
            "others can reach this server: set SEEDLEAF_DATA_ROOTS to the folders that data sets may lie in"
        )
    with database(config) as url:
        engine = make_engine(url)
        migrate(engine)
        keys = KeyRing(engine, config.api_key)
        keys.refresh()
        engine.dispose()
    if not keys:
        raise ValueError(
            "others can reach this server: make a key with `seedleaf key create NAME`, or set SEEDLEAF_API_KEY"
        )


class _KeyInvalidError(Exception):
    """The key of a request was revoked, or has expired, while it was answered."""


class KeyMiddleware:
    """ASGI middleware that refuses requests without a valid key.

    Until there is a first key, and only if ``keyless_allowed``, it accepts requests to a loopback name. It refuses
    those that another site's page makes in this machine's browser (DNS rebinding, cross-site requests), and those that
    a proxy forwards: they may come from anywhere. A long answer, such as a stream of events, ends when its key is
    revoked or expires. The key of a request is put into its ASGI scope, for ``api.server.scopes``.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyRing, keyless_allowed: bool) -> None:
        self._app, self._keys, self._keyless_allowed = app, keys, keyless_allowed
        self._reading: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal, scope[CALLER] = await self._judge(scope)
        if refusal is not None:
            await errors.problem(*refusal)(scope, receive, send)
            return
        is_cut = False

        async def send_while_valid(message: Message) -> None:
            nonlocal is_cut
            goes_on = message["type"] == "http.response.body" and message.get("more_body", False)
            if goes_on and (await self._judge(scope))[0] is not None:
                is_cut = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise _KeyInvalidError
            await send(message)

        try:
            await self._app(scope, receive, send_while_valid)
        except Exception:  # a task group may have wrapped the one from above
            if not is_cut:
                raise

    async def _judge(self, scope: Scope) -> tuple[Refusal | None, KnownKey | None]:
        """Why a request is refused, or None, and its key if it has one. Both come from one look at the keys."""
        path_is_open = is_open(scope["path"])
        patience_s = OPEN_PATIENCE_S if path_is_open else PATIENCE_S
        if not self._keys.is_fresh and not await self._refresh(patience_s):
            return (None if path_is_open else errors.DATABASE_AWAY), None
        headers = Headers(scope=scope)
        if self._keys.are_required or not self._keyless_allowed:
            given = _bearer(headers)
            key = self._keys.find(given)
            return (None if path_is_open else _refuse_key(given, key)), key
        return _refuse_foreign(headers) or _refuse_forwarded(scope, headers), None

    async def _refresh(self, patience_s: float) -> bool:
        """Read the keys again, once for all requests that ask meanwhile. False if the database does not answer."""
        reading = self._reading
        if reading is None or reading.done():
            reading = self._reading = asyncio.create_task(run_in_threadpool(self._keys.refresh))
        await asyncio.wait([reading], timeout=patience_s)
        try:
            return reading.done() and reading.result() is None
        except OperationalError:
            return False


def is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDER)


_FORWARDED = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip"})
_UNKNOWN_KEY = (401, "this server has no such key, or it was revoked: make one (`seedleaf key create NAME`)")
_NO_KEY = (401, "send the header Authorization: Bearer KEY with a key of this server (`seedleaf key create NAME`)")


def _refuse_key(given: str | None, key: KnownKey | None) -> Refusal | None:
    if key is None:
        return _NO_KEY if given is None else _UNKNOWN_KEY
    if key.expires_at is not None and key.is_expired:
        name, at = key.name.name, key.expires_at.astimezone(UTC)
        return 401, f"the key {name!r} expired at {at:%Y-%m-%d %H:%M} UTC: make another (`seedleaf key create NAME`)"
    return None


def _bearer(headers: Headers) -> str | None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _refuse_foreign(headers: Headers) -> Refusal | None:
    host = headers.get("host")
    if host is not None and not is_loopback(_host_name(f"//{host}")):
        return 400, "this server has no key: it answers to loopback names only, such as 127.0.0.1 or localhost"
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return 403, f"this server has no key: it does not answer to the page of another site, {origin}"
    return None


def _refuse_forwarded(scope: Scope, headers: Headers) -> Refusal | None:
    """Proxies name whom they speak for; some speak HTTP/1.0, which no browser and no client of ours does."""
    forwarded = any(name in _FORWARDED or name.startswith("x-forwarded-") for name in headers)
    if forwarded or scope.get("http_version") == "1.0" or "host" not in headers:
        return 403, "this server has no key: it answers no proxy; make a key first (`seedleaf key create NAME`)"
    return None


def _host_name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
