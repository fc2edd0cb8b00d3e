"""A local Ray is this machine's and this user's alone, and starts again after it was killed."""

import ipaddress
import os
import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from services.local.ray import LocalRay, local_ray
from services.ray.errors import RayAwayError
from services.ray.jobs import RayJobs
from tests.server import home_folder, wait_for

_SLEEPS = "python -c 'import time; time.sleep(100000)'"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with home_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def ray(home: Path) -> Iterator[LocalRay]:
    saved = dict(os.environ)
    try:
        with local_ray(home) as running:
            yield running
    finally:
        os.environ.clear()
        os.environ.update(saved)


def processes(home: Path) -> list[psutil.Process]:
    """What the Ray of a home folder has started, but for its workers, which hide their environment."""

    def ours(process: psutil.Process) -> bool:
        try:
            return process.environ().get("SEEDLEAF_RAY_OF") == str(home)
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if ours(process)]


def listening() -> list[str]:
    """The addresses at which this process's descendants listen."""
    return [
        connection.laddr.ip
        for process in psutil.Process().children(recursive=True)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]


def test_no_process_of_a_local_ray_listens_beyond_loopback(ray: LocalRay) -> None:
    wait_for(lambda: len(listening()) >= 8, timeout_s=60, what="all of Ray's processes to listen")
    beyond = [ip for ip in listening() if not ipaddress.ip_address(ip.removeprefix("::ffff:")).is_loopback]
    assert not beyond


def test_no_other_user_enters_the_folder_of_a_local_ray_or_guesses_its_name(ray: LocalRay, home: Path) -> None:
    folder = Path((home / "ray-folder").read_text())
    assert (folder / "ray" / "session_latest").exists()
    assert folder.stat().st_mode & 0o077 == 0
    assert folder.stat().st_uid == os.geteuid()
    assert ray.token_file.stat().st_mode & 0o077 == 0


def test_the_cause_of_a_lost_job_is_its_signal_and_its_last_words(ray: LocalRay) -> None:
    with closing(RayJobs(ray.address)) as jobs:
        jobs.submit("killed-1", """python -c 'import os; print("last words", flush=True); os.kill(os.getpid(), 9)'""")
        jobs.submit("failed-1", """python -c 'print("no disk", flush=True); raise SystemExit(3)'""")
        wait_for(lambda: not any(jobs.list_jobs().values()), timeout_s=90, what="both jobs to end")
        killed, failed, unknown = (jobs.cause(job_id) for job_id in ("killed-1", "failed-1", "never-1"))
    assert killed.startswith("it was ended by SIGKILL, as the system does when memory runs out")
    assert "last words" in killed
    assert failed.startswith("it ended with exit code 3")
    assert "no disk" in failed
    assert unknown == "Ray does not know it any more: Ray itself was lost"


def test_the_workers_of_a_job_do_not_get_the_password_that_the_job_gets(ray: LocalRay) -> None:
    url = "postgresql://seedleaf:secret@localhost/seedleaf"
    program = (
        "import os, ray\n"
        "from services.jobs import ray_session\n"
        "ray_session.connect()\n"
        "read = ray.remote(lambda: dict(os.environ))\n"
        "told = ray.get(read.remote())\n"
        "print('job', os.environ['SEEDLEAF_DATABASE_URL'])\n"
        "print('worker', [name for name, value in told.items() if 'secret' in value])\n"
    )
    with closing(RayJobs(ray.address, environment={"SEEDLEAF_DATABASE_URL": url})) as jobs:
        jobs.submit("reads-1", shlex.join(["python", "-c", program]))
        wait_for(lambda: not any(jobs.list_jobs().values()), timeout_s=90, what="the job to end")
        log = jobs.log("reads-1")
    assert f"job {url}" in log
    assert "worker []" in log, log


@contextmanager
def foreign_server(port: int) -> Iterator[list[bytes]]:
    """Something else that listens on a port; what it is sent."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    received.append(connection.recv(65536))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield received
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_killed_ray_starts_again_elsewhere_and_nothing_is_told_to_what_took_its_port(
    ray: LocalRay, home: Path
) -> None:
    with closing(RayJobs(ray.address)) as jobs:
        jobs.submit("sleeper-1", _SLEEPS)

        def sleepers() -> list[psutil.Process]:
            return [process for process in processes(home) if "time.sleep(100000)" in " ".join(process.cmdline())]

        outliving = wait_for(sleepers, timeout_s=60, what="the job's process")
        (gcs,) = [process for process in processes(home) if process.name() == "gcs_server"]
        before = ray.dashboard_url
        gcs.kill()
        wait_for(lambda: not ray.is_running(), timeout_s=30, what="Ray to end with its store")
        with foreign_server(int(before.rpartition(":")[2])) as received:
            with pytest.raises(RayAwayError):
                jobs.list_jobs()
            ray.start()
            assert ray.dashboard_url != before
            assert jobs.list_jobs() == {}
            assert received == []
        psutil.wait_procs(outliving, timeout=30)
        assert not sleepers()
