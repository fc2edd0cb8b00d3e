"""``seedleaf up`` whose parts are killed and frozen, and whose artifacts lie on a disk that can be made full."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
from sqlalchemy import Engine

from services.database import make_engine
from services.storage.artifacts import ArtifactStore
from tests.faults.invariants import Witness, check_invariants, witness
from tests.server import Server, command_of, home_folder, start_server, wait_for

#: Every process of the server inherits it: those that have lost their parent are found by it.
_MARK = "SEEDLEAF_TEST_CLUSTER"
_ROOM = "4g"
_END_S = 60.0


class UpServer:
    """A server with its own PostgreSQL and Ray. ``disk`` is None where no file system may be mounted."""

    def __init__(self, home: Path, *, disk: "SmallDisk | None") -> None:
        self._home, self.disk = home, disk
        self._mark = secrets.token_hex(8)
        self.server = self._start()
        url = f"postgresql://postgres@/postgres?host={home}/postgres&passfile={home}/postgres.password"
        self.engine: Engine = make_engine(url, pool_size=2)
        self._artifacts = ArtifactStore(home / "artifacts")

    def _start(self) -> Server:
        return start_server(self._home, **{_MARK: self._mark})

    def restart(self) -> None:
        """kill -9 of the server's own process, and another one in the same home folder."""
        self.server.kill()
        self.server = self._start()

    def close(self) -> None:
        """Stop the server. AssertionError if it leaves a process behind."""
        self.engine.dispose()
        self.server.interrupt()
        wait_for(lambda: not self.processes() and not self.postgres(), timeout_s=_END_S, what="every process to end")

    def processes(self, *words: str) -> list[psutil.Process]:
        """What the server has started and lives, whoever its parent is; with all of ``words`` in its call."""
        found = {process for process in psutil.process_iter() if self._is_marked(process)}
        if self.server.process.poll() is None:
            found |= set(self.server.descendants())
        return [process for process in found if all(word in command_of(process) for word in words)]

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            is_ours = process.environ().get(_MARK) == self._mark
            return is_ours and process.pid != self.server.process.pid and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def driver(self, study_id: str) -> psutil.Process | None:
        """The driver itself, not the shell that Ray starts it through."""
        found = self.processes("services.jobs.search_job", study_id)
        return next((process for process in found if "-c" not in process.cmdline()), None)

    def workers(self) -> list[psutil.Process]:
        """The processes that train, the oldest first."""
        return sorted(self.processes("ray::", "Trainable"), key=lambda process: process.pid)

    def ray_store(self) -> list[psutil.Process]:
        return [process for process in self.processes() if process.name() == "gcs_server"]

    def postgres(self) -> list[psutil.Process]:
        """The postmaster, and then the processes that it has started."""
        try:
            pid = int((self._home / "postgres" / "postmaster.pid").read_text().split()[0])
            postmaster = psutil.Process(pid)
            return [postmaster, *postmaster.children(recursive=True)]
        except (FileNotFoundError, psutil.NoSuchProcess):
            return []

    def witness(self) -> Witness:
        return witness(self.engine)

    def check(self, before: Witness) -> None:
        check_invariants(self.engine, self._artifacts, before, processes=self.processes)


class SmallDisk:
    """A file system in memory that is full while its size is what is used of it."""

    def __init__(self, folder: Path) -> None:
        """PermissionError where this user may not mount it."""
        self._folder = folder
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_ROOM},mode=755", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise PermissionError(f"{folder}: this user may not mount a file system")

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self._folder)], check=True)

    @contextmanager
    def full(self) -> Iterator[None]:
        wait_for(self._cut, timeout_s=10, what="a moment in which nothing is written")
        try:
            yield
        finally:
            self._resize(_ROOM)

    def _cut(self) -> bool:
        """Take all free room away. False if some of it was written to meanwhile."""
        usage = os.statvfs(self._folder)
        used = max((usage.f_blocks - usage.f_bfree) * usage.f_frsize, usage.f_frsize)
        return self._resize(str(used))

    def _resize(self, size: str) -> bool:
        command = ["mount", "-o", f"remount,size={size}", str(self._folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def frozen(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """SIGSTOP for this block, SIGCONT at its end."""
    _send(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _send(processes, signal.SIGCONT)


def freeze(processes: Sequence[psutil.Process], *, duration_s: float) -> None:
    with frozen(processes):
        time.sleep(duration_s)


def kill(processes: Sequence[psutil.Process]) -> None:
    _send(processes, signal.SIGKILL)
    psutil.wait_procs(list(processes), timeout=30)


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


@contextmanager
def up_server() -> Iterator[UpServer]:
    """A server in a home folder of its own, whose artifacts lie on a small disk where this user may mount one."""
    with ExitStack() as stack:
        home = stack.enter_context(home_folder())
        disk = None
        with suppress(PermissionError):
            disk = SmallDisk(home / "artifacts")
            stack.callback(disk.unmount)
        running = UpServer(home, disk=disk)
        stack.callback(running.close)
        yield running
