"""The application over a real database behind a real socket; Ray is away, controller and feed are not started."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from api.server.app import create_app
from api.server.connections import TimedProtocol
from services.settings import Settings

AWAY = "http://127.0.0.1:9"


def make_settings(database_url: str, home: Path, **changes: Any) -> Settings:
    values = {"database_url": SecretStr(database_url), "ray_address": AWAY, "home": home, **changes}
    return Settings.model_validate(values)


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """A client of ``app``, which listens on loopback for this block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=TimedProtocol, log_level="critical", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
            app.state.seedleaf.engine.dispose()
            app.state.seedleaf.reader.dispose()


@contextmanager
def serving(database_url: str, home: Path, *, host: str = "127.0.0.1", **settings: Any) -> Iterator[httpx.Client]:
    """A client of a server that believes to listen at ``host``."""
    with served(create_app(make_settings(database_url, home, **settings), host=host)) as client:
        yield client
