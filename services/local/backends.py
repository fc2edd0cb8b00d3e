"""One machine without anything installed: the embedded PostgreSQL and a local Ray, in Seedleaf's home folder."""

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

from services.local.postgres import embedded_postgres
from services.log_tail import last_lines
from services.settings import Settings

_OBJECT_STORE_BYTES = 512 * 2**20
_MOST_COMPRESSORS = 4
_DASHBOARD_PORT = 8265
_START_S = 60.0


class HomeInUseError(RuntimeError):
    """Another server works in this home folder."""


@dataclass(frozen=True, kw_only=True)
class Backends:
    """Where this server's PostgreSQL and Ray are. ``token_file`` holds the dashboard's token, if it needs one."""

    settings: Settings
    dashboard_url: str
    token_file: Path | None


@contextmanager
def backends(config: Settings) -> Iterator[Backends]:
    """Start what the settings do not name, and stop it at the end. Child processes inherit the addresses.

    HomeInUseError if another server works in the same home folder.
    """
    config.home.mkdir(parents=True, exist_ok=True)
    with _alone_in(config.home), database(config) as database_url:
        os.environ["SEEDLEAF_DATABASE_URL"] = database_url
        os.environ["SEEDLEAF_HOME"] = str(config.home.resolve())
        with _ray(config) as (address, token_file):
            os.environ["SEEDLEAF_RAY_ADDRESS"] = address
            os.environ["SEEDLEAF_RAY_IS_LOCAL"] = str(token_file is not None)
            yield Backends(settings=Settings(), dashboard_url=address, token_file=token_file)


@contextmanager
def _alone_in(home: Path) -> Iterator[None]:
    try:
        with FileLock(home / "server.lock", timeout=0):
            yield
    except Timeout as error:
        raise HomeInUseError(
            f"another server works in {home}: stop it, or set SEEDLEAF_HOME to another folder"
        ) from error


@contextmanager
def database(config: Settings) -> Iterator[str]:
    """The URL of the database that the settings name, or of the embedded one, which a running server shares."""
    if config.database_url is not None:
        yield config.database_url.get_secret_value()
        return
    with embedded_postgres(config.home / "postgres") as postgres:
        yield postgres.url


@contextmanager
def _ray(config: Settings) -> Iterator[tuple[str, Path | None]]:
    if config.ray_address is not None:
        yield config.ray_address, None
        return
    with local_ray(config.home, dashboard_port=_free_port(_DASHBOARD_PORT)) as address_and_token_file:
        yield address_and_token_file


@contextmanager
def local_ray(home: Path, *, dashboard_port: int) -> Iterator[tuple[str, Path]]:
    """Start a Ray head, and stop it at the end. Gives its dashboard's address and the file with its token.

    This process's environment tells its children, and so Ray's jobs, how to authenticate.
    """
    token_file = _token_file(home)
    os.environ.update(
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN=token_file.read_text(),
        RAY_USAGE_STATS_ENABLED="0",
        # There is no other node to drain to: what runs is resumed from the record at the next start.
        RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S="0",
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    )
    address = f"http://127.0.0.1:{dashboard_port}"
    with (home / "ray.log").open("ab") as log:
        command = [sys.executable, "-m", "services.ray.head", *_start_command(home, dashboard_port)]
        head = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    assert head.stdin is not None
    try:
        _wait_until_ready(address, head, home / "ray.log")
        yield address, token_file
    finally:
        head.stdin.close()
        head.wait()


def _start_command(home: Path, dashboard_port: int) -> list[str]:
    """The ports and the folder are its own, so that it does not disturb another Ray on this machine."""
    cores = os.cpu_count() or 1
    resources = {"benchmark_slot": 1, "compression": min(cores, _MOST_COMPRESSORS)}
    options = {
        "node-ip-address": "127.0.0.1",
        "port": _free_port(),
        "temp-dir": _ray_folder(home),
        "dashboard-host": "127.0.0.1",
        "dashboard-port": dashboard_port,
        "dashboard-agent-listen-port": _free_port(),
        "ray-client-server-port": _free_port(),
        "min-worker-port": 0,
        "max-worker-port": 0,
        "num-cpus": cores,
        "object-store-memory": _OBJECT_STORE_BYTES,
        "resources": json.dumps(resources),
        "include-dashboard": "true",
    }
    ray = str(Path(sys.executable).with_name("ray"))
    return [ray, "start", "--head", "--block", *(f"--{name}={value}" for name, value in options.items())]


def _ray_folder(home: Path) -> str:
    """Where Ray keeps its sockets, logs and address. It is short, as paths of sockets must be."""
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]
    return str(Path(tempfile.gettempdir()) / f"seedleaf-ray-{digest}")


def _wait_until_ready(address: str, head: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until jobs can be submitted. RuntimeError with the log's end if Ray does not come up."""
    headers = {"Authorization": f"Bearer {os.environ['RAY_AUTH_TOKEN']}"}
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and head.poll() is None:
        try:
            if httpx.get(f"{address}/api/jobs/", headers=headers).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"Ray did not start; {log} ends with:\n{last_lines(log.read_text())}")


def _free_port(preferred: int = 0) -> int:
    """The preferred port, or another one if it is taken."""
    try:
        with socket.create_server(("127.0.0.1", preferred)) as listener:
            return int(listener.getsockname()[1])
    except OSError:
        return _free_port()


def _token_file(home: Path) -> Path:
    """The file with Ray's token, made once per home folder and readable by its owner only."""
    path = home / "ray-token"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path
