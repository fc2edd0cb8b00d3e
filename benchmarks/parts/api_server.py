"""An application behind uvicorn in a process of its own: no Ray, no controller, nothing that runs beside it."""

import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

_START_S = 60.0


@contextmanager
def api_server(factory: str, *arguments: str) -> Iterator[str]:
    """The URL of a server of what the function ``module:name`` makes of ``arguments``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", __name__, str(listener.fileno()), factory, *arguments]
        process = subprocess.Popen(command, pass_fds=[listener.fileno()])
    try:
        _wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/", timeout=_START_S)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the server of {process.args!r} did not start")


def seedleaf(database_url: str, home: str) -> object:
    """Seedleaf's own application."""
    from api.server.app import create_app
    from services.settings import Settings

    values = {"database_url": database_url, "ray_address": "http://127.0.0.1:9", "home": home}
    return create_app(Settings.model_validate(values), host="127.0.0.1")


if __name__ == "__main__":
    module, _, name = sys.argv[2].partition(":")
    application = getattr(importlib.import_module(module), name)(*sys.argv[3:])
    listener = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(application, log_level="warning", lifespan="off", ws="none")
    uvicorn.Server(config).run(sockets=[listener])
