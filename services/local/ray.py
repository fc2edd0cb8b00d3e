"""A Ray head of this machine's own, on loopback, in folders that no other user can enter."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from services.local.private_folder import is_private, make_private_folder, write_private_file
from services.log_tail import last_lines
from services.ray.errors import RayAwayError

#: The environment of all that a home folder's Ray has started: what outlives its Ray is found by it.
_MARK = "SEEDLEAF_RAY_OF"
_OBJECT_STORE_BYTES = 512 * 2**20
_MOST_COMPRESSORS = 4
_DASHBOARD_PORT = 8265
#: Ray needs 7 s on two idle cores, and a minute on busy ones.
_START_S = 180.0
_ASK_S = 5.0
_KILL_S = 10.0


class LocalRay:
    """The Ray head of a home folder. Start it, also again after it has died, and end with ``close``."""

    def __init__(self, home: Path, *, dashboard_port: int = _DASHBOARD_PORT) -> None:
        """``dashboard_port`` is taken if it is free."""
        self._home = home.resolve()
        self._port = dashboard_port
        self._head: subprocess.Popen[bytes] | None = None
        self._dashboard: psutil.Process | None = None
        self._private: Path | None = None
        self.token_file = self._home / "ray-token"

    @property
    def dashboard_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def address(self) -> str:
        """The dashboard's address. RayAwayError unless this Ray listens there: another one must not get its token."""
        if self._dashboard is None or not _listens(self._dashboard, self._port):
            raise RayAwayError("this server's Ray does not run")
        return self.dashboard_url

    def is_running(self) -> bool:
        return self._head is not None and self._head.poll() is None

    def start(self) -> None:
        """Start it and wait until it takes jobs. RuntimeError with the end of its log if it does not come up.

        This process's environment tells its children, and so Ray's jobs, how to authenticate.
        """
        self._stop()
        self._port = _free_port(self._port)
        os.environ.update(
            RAY_AUTH_MODE="token",
            RAY_AUTH_TOKEN=self._token(),
            RAY_USAGE_STATS_ENABLED="0",
            # Else Ray takes the host's address for 127.0.0.1, and listens to other machines.
            RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0",
            # As Ray's jobs: measurements and exports go before trainings, which step back by themselves.
            RAY_worker_niceness="5",
            # There is no other node to drain to: what runs is resumed from the record at the next start.
            RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S="0",
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        )
        with self._log_file.open("ab") as log:
            command = [sys.executable, "-m", "services.ray.head", *_start_command(self._folder(), self._port)]
            environment = {**os.environ, _MARK: str(self._home)}
            # In a session of its own: Ctrl-C does not reach it, since this process decides when it stops.
            self._head = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_ready()

    def close(self) -> None:
        """Stop it, with all that it runs."""
        self._stop()

    def _stop(self) -> None:
        self._dashboard = None
        if self._head is not None:
            assert self._head.stdin is not None
            self._head.stdin.close()
            self._head.wait()
            self._head = None
        # Drivers outlive a Ray that was killed.
        left = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=_KILL_S)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(_MARK) == str(self._home)
        except (OSError, psutil.Error):
            return False

    def _wait_until_ready(self) -> None:
        """Wait until jobs can be submitted. Nothing is sent to a process that this Ray has not started."""
        assert self._head is not None
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._head.poll() is None:
            self._dashboard = self._dashboard or self._find_dashboard(psutil.Process(self._head.pid))
            if self._dashboard is not None and self._takes_jobs():
                return
            time.sleep(0.1)
        failure = f"Ray did not start; {self._log_file} ends with:\n{last_lines(self._log_file.read_text())}"
        self._stop()
        raise RuntimeError(failure)

    def _find_dashboard(self, head: psutil.Process) -> psutil.Process | None:
        with suppress(psutil.NoSuchProcess):
            return next((each for each in head.children(recursive=True) if _listens(each, self._port)), None)
        return None

    def _takes_jobs(self) -> bool:
        headers = {"Authorization": f"Bearer {os.environ['RAY_AUTH_TOKEN']}"}
        try:
            return httpx.get(f"{self.address()}/api/jobs/", headers=headers, timeout=_ASK_S).is_success
        except (httpx.TransportError, RayAwayError):
            return False

    def _folder(self) -> Path:
        """Where Ray keeps its sockets and logs: a new folder with a name that nobody can guess.

        It replaces the last server's. Ray opens its folder to everybody, so that one lies in the private one.
        """
        if self._private is None or not is_private(self._private):
            note = self._home / "ray-folder"
            with suppress(FileNotFoundError):
                last = Path(note.read_text())
                if is_private(last):
                    shutil.rmtree(last, ignore_errors=True)
            self._private = make_private_folder("seedleaf-ray-")
            write_private_file(note, str(self._private))
        return self._private / "ray"

    def _token(self) -> str:
        """Ray's token, made once per home folder and readable by its owner only."""
        if not self.token_file.exists():
            write_private_file(self.token_file, secrets.token_hex(32))
        return self.token_file.read_text()

    @property
    def _log_file(self) -> Path:
        return self._home / "ray.log"


@contextmanager
def local_ray(home: Path, *, dashboard_port: int = _DASHBOARD_PORT) -> Iterator[LocalRay]:
    """A Ray head that runs in this block."""
    ray = LocalRay(home, dashboard_port=dashboard_port)
    try:
        ray.start()
        yield ray
    finally:
        ray.close()


def _start_command(folder: Path, dashboard_port: int) -> list[str]:
    """The ports and the folder are its own, so that it does not disturb another Ray on this machine."""
    cores = os.cpu_count() or 1
    resources = {"benchmark_slot": 1, "compression": min(cores, _MOST_COMPRESSORS)}
    options = {
        "node-ip-address": "127.0.0.1",
        "port": _free_port(),
        "temp-dir": folder,
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


def _free_port(preferred: int = 0) -> int:
    """The preferred port, or another one if it is taken."""
    try:
        with socket.create_server(("127.0.0.1", preferred)) as listener:
            return int(listener.getsockname()[1])
    except OSError:
        return _free_port()


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        connections = process.net_connections("tcp4")
    except (OSError, psutil.Error):
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in connections)
