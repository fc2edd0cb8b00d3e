"""A server as its user starts it: ``seedleaf up`` in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

START_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Server:
    url: str
    home: Path
    process: "subprocess.Popen[bytes]"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30)

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def processes(self, *words: str) -> list[psutil.Process]:
        """The server's processes whose command line has all of ``words``."""
        return [process for process in self.descendants() if all(word in command_of(process) for word in words)]

    def driver_of(self, study_id: str) -> psutil.Process | None:
        """The Python process that searches a study."""
        return next(iter(self.processes("python", "services.jobs.search_job", study_id)), None)

    def interrupt(self, *, timeout_s: float = 60) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        """kill -9 of the server alone."""
        self.process.kill()
        self.process.wait(30)

    def kill_everything(self) -> None:
        """kill -9 of the server and all that it has started."""
        victims = [psutil.Process(self.process.pid), *self.descendants()]
        for victim in victims:
            kill_if_alive(victim)
        psutil.wait_procs(victims, timeout=30)
        self.process.wait(30)


@contextmanager
def home_folder() -> Iterator[Path]:
    """A home folder for a server; not pytest's, which the account that runs PostgreSQL for root cannot reach."""
    with tempfile.TemporaryDirectory(prefix="seedleaf-home-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        home.mkdir()
        yield home


def start_server(home: Path, **environment: str) -> Server:
    """Start ``seedleaf up`` on a free port and wait until it is ready."""
    port = _free_port()
    command = [str(Path(sys.executable).with_name("seedleaf")), "up", "--port", str(port)]
    log_path = home.parent / "server.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, "SEEDLEAF_HOME": str(home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = Server(url=f"http://127.0.0.1:{port}", home=home, process=process)
    try:
        wait_for(lambda: _ready(server, log_path), timeout_s=START_S, what=f"the server to be ready; see {log_path}")
    except AssertionError:
        process.terminate()
        raise
    return server


@contextmanager
def server_process(home: Path, **environment: str) -> Iterator[Server]:
    server = start_server(home, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.interrupt()


def wait_for(condition: Callable[[], Any], *, timeout_s: float, what: str) -> Any:
    """The condition's first true value; AssertionError after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {timeout_s:g} s in vain for {what}")


def kill_if_alive(process: psutil.Process) -> None:
    """kill -9, where the process may have ended meanwhile, as its parent was killed or its work is done."""
    with suppress(psutil.NoSuchProcess):
        process.kill()


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _ready(server: Server, log_path: Path) -> bool:
    assert server.process.poll() is None, f"the server has ended:\n{log_path.read_text()}"
    try:
        return httpx.get(f"{server.url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
