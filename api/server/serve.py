"""The server: backends, application and uvicorn in one process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from api.server.app import create_app
from api.server.auth import is_loopback, require_keys
from api.server.connections import TimedProtocol
from services.local.backends import Backends, backends
from services.settings import Settings


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    url: str
    backends: Backends


@contextmanager
def running_server(config: Settings, *, host: str, port: int) -> Iterator[RunningServer]:
    """Serve in a thread until the block ends; ``port`` 0 takes a free one.

    OSError if the port is taken; ValueError if other machines could reach the server without a key.
    """
    if not is_loopback(host):
        require_keys(config)
    with socket.create_server((host, port)) as listener, backends(config) as running:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(running.settings, host=host, local=running),
                http=TimedProtocol,
                log_config=None,  # its lines are logged like all others
                log_level="warning",
                ws="none",
                timeout_graceful_shutdown=2,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
        thread.start()
        try:
            while not server.started:
                thread.join(0.05)
                if not thread.is_alive():
                    raise RuntimeError("the server did not start: see the messages above")
            yield RunningServer(url=f"http://{_in_url(host)}:{listener.getsockname()[1]}", backends=running)
        finally:
            running.supervisor.stop()
            server.should_exit = True
            thread.join()


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
