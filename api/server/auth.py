"""Who may ask: a bearer key, or on a loopback server without keys this machine alone.

Every path asks for a key but those in ``OPEN_PATHS`` and below ``OPEN_FOLDER``, which hold no data: what is not listed
is closed, whichever way it was added to the application.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.server import errors
from services.keys import KeyRing
from services.ray.local import database
from services.settings import Settings
from services.store.db import make_engine, migrate

OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json"})
OPEN_FOLDER = "/web/"


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


class Doorkeeper:
    """Middleware that lets through who has a key.

    Without any key, and only if ``may_be_open``, it lets through what this machine asks for under a loopback name, and
    no other site's page in this machine's browser (DNS rebinding, cross-site requests).
    """

    def __init__(self, app: ASGIApp, *, keys: KeyRing, may_be_open: bool) -> None:
        self._app, self._keys, self._may_be_open = app, keys, may_be_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(scope) if scope["type"] != "lifespan" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await errors.problem(*refusal)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        try:
            if not self._keys.is_fresh:
                await run_in_threadpool(self._keys.refresh)
        except OperationalError:
            return None if is_open(scope["path"]) else errors.DATABASE_AWAY
        headers = Headers(scope=scope)
        if self._keys or not self._may_be_open:
            return None if is_open(scope["path"]) or _bearer(headers) in self._keys else _NO_KEY
        return _stranger(headers)


def is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDER)


_NO_KEY = (401, "send the header Authorization: Bearer KEY with a key of this server (`seedleaf key create NAME`)")


def _bearer(headers: Headers) -> str | None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _stranger(headers: Headers) -> tuple[int, str] | None:
    host = headers.get("host")
    if host is not None and not is_loopback(_name_of(f"//{host}")):
        return 400, "this server has no key: it answers to loopback names only, such as 127.0.0.1 or localhost"
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return 403, f"this server has no key: it does not answer to the page of another site, {origin}"
    return None


def _name_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
