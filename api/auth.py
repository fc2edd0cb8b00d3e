"""Who may ask: a bearer key where one is set, and no stranger's page in the browser."""

import secrets
from ipaddress import ip_address

from fastapi import HTTPException, Request

from services.settings import Settings

_OPEN_PATHS = ("/healthz", "/readyz")
_LOOPBACK_NAMES = ("localhost", "testserver")


def is_loopback(host: str) -> bool:
    """Whether a server bound to ``host`` can be reached from this machine only."""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_key_beyond_loopback(settings: Settings, host: str) -> None:
    """ValueError if a server that others can reach would have no key or no data roots."""
    if is_loopback(host):
        return
    if settings.api_key is None:
        raise ValueError(f"a server on {host} can be reached by others: set SEEDLEAF_API_KEY to a long random text")
    if settings.data_roots is None:
        raise ValueError(f"a server on {host} needs SEEDLEAF_DATA_ROOTS, the folders that data sets may lie in")


async def check_request(request: Request) -> None:
    """401 without the key, where one is set; 400 for a host name that is not ours where none is set (DNS rebinding)."""
    settings: Settings = request.app.state.seedleaf.settings
    if request.url.path in _OPEN_PATHS:
        return
    if settings.api_key is None:
        if not is_loopback(request.url.hostname or ""):
            raise HTTPException(400, "this server has no key: it answers on loopback only")
        return
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), settings.api_key.get_secret_value().encode()):
        raise HTTPException(401, "send the header Authorization: Bearer KEY with the key of this server")
