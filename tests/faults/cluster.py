"""PostgreSQL, a Ray head and API servers with a controller each, in processes of their own that can be killed."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from sqlalchemy import Engine

from services.database import make_engine
from services.local.postgres import EmbeddedPostgres, embedded_postgres
from services.local.ray import local_ray
from services.storage.artifacts import ArtifactStore
from tests.faults.invariants import Witness, check_invariants, witness
from tests.server import Server, command_of, home_folder, kill_if_alive, start_server, wait_for

#: Every process of a cluster inherits it: those that have lost their parent are found by it.
_MARK = "SEEDLEAF_TEST_CLUSTER"


class Cluster:
    """One PostgreSQL and one Ray head, and as many API servers as a test starts. ``engine`` outlives PostgreSQL's."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self._home, self._stack = home, stack
        self._mark = secrets.token_hex(8)
        os.environ.update({_MARK: self._mark, "SEEDLEAF_HOME": str(home)})
        self._postgres: EmbeddedPostgres = stack.enter_context(embedded_postgres(self._postgres_folder))
        self.database_url = self._postgres.url
        self._ray_port = free_port()
        self._ray = stack.enter_context(ExitStack())
        self.start_ray()
        self.engine: Engine = make_engine(self.database_url)
        stack.callback(self.engine.dispose)
        self.artifacts = ArtifactStore(home / "artifacts")

    @property
    def _postgres_folder(self) -> Path:
        return self._home / "postgres"

    @property
    def ray_address(self) -> str:
        return f"http://127.0.0.1:{self._ray_port}"

    def start_ray(self) -> None:
        self._ray.enter_context(local_ray(self._home, dashboard_port=self._ray_port))

    def start_server(self, *, ray_address: str | None = None) -> Server:
        """One more API server with a controller; those of a cluster share nothing but PostgreSQL and Ray."""
        home = self._stack.enter_context(home_folder())
        server = start_server(
            home,
            SEEDLEAF_DATABASE_URL=self.database_url,
            SEEDLEAF_RAY_ADDRESS=ray_address or self.ray_address,
        )
        self._stack.callback(_end, server)
        return server

    def processes(self, *words: str) -> list[psutil.Process]:
        """All that the cluster has started and that lives, whoever its parent is; with all of ``words`` in its call."""
        return [process for process in psutil.process_iter() if self._is_ours(process, words)]

    def _is_ours(self, process: psutil.Process, words: tuple[str, ...]) -> bool:
        try:
            command = command_of(process)
            return all(word in command for word in words) and process.environ().get(_MARK) == self._mark
        except psutil.Error:
            return False

    def driver(self, study_id: str) -> psutil.Process | None:
        """The driver itself, not the shell that Ray starts it through, whose death it would outlive for a while."""
        found = self.processes("services.jobs.search_job", study_id)
        return next((process for process in found if "-c" not in process.cmdline()), None)

    def wait_for_driver(self, study_id: str) -> psutil.Process:
        driver: psutil.Process = wait_for(lambda: self.driver(study_id), timeout_s=90, what="a driver")
        return driver

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster; its own processes notice and end."""
        postmaster = psutil.Process(int((self._postgres_folder / "postmaster.pid").read_text().split()[0]))
        postmaster.kill()
        postmaster.wait(30)

    def start_postgres(self) -> None:
        self._postgres.start()

    def kill_ray(self) -> None:
        """kill -9 of the head node with all that runs on it."""
        for process in self.processes():
            if process.pid != os.getpid() and not _is_server(process):
                kill_if_alive(process)
        self._ray.close()

    def witness(self) -> Witness:
        return witness(self.engine)

    def check(self, before: Witness) -> None:
        check_invariants(self.engine, self.artifacts, before, processes=self.processes)


@contextmanager
def cluster() -> Iterator[Cluster]:
    saved = dict(os.environ)
    try:
        with ExitStack() as stack:
            yield Cluster(stack.enter_context(home_folder()), stack)
    finally:
        os.environ.clear()
        os.environ.update(saved)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _is_server(process: psutil.Process) -> bool:
    command = command_of(process)
    return "seedleaf up" in command or "postgres" in command


def _end(server: Server) -> None:
    if server.process.poll() is None:
        server.interrupt()
