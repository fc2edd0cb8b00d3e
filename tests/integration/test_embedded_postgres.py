"""The embedded PostgreSQL is its user's alone, wherever the home folder is, and stops with its last user."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg2
import pytest
from sqlalchemy import make_url, text

from services.database import make_engine
from services.local.postgres import EmbeddedPostgres, embedded_postgres
from tests.server import home_folder

_NOBODY = 65534
_AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL under another account")
_USE_UNTIL_KILLED = """
import sys
from pathlib import Path
from services.local.postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with home_folder() as folder:
        yield folder


@pytest.fixture
def long_home(home: Path) -> Path:
    """A home whose path is too long for a socket in it."""
    folder = home / ("x" * 100)
    folder.mkdir()
    return folder


def socket_folder(postgres: EmbeddedPostgres) -> Path:
    return Path(str(make_url(postgres.url).query["host"]))


def answer(postgres: EmbeddedPostgres) -> object:
    engine = make_engine(postgres.url, pool_size=1)
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT 42")).scalar()
    finally:
        engine.dispose()


def check_password_is_required(postgres: EmbeddedPostgres) -> None:
    host = str(socket_folder(postgres))
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        psycopg2.connect(host=host, user="postgres", passfile="/nonexistent")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host=host, user="postgres", password="guessed")


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))


def test_other_users_of_the_machine_reach_no_database_of_a_home_with_a_long_path(long_home: Path) -> None:
    parents = {parent: parent.stat().st_mode for parent in long_home.parents}
    with embedded_postgres(long_home / "postgres") as postgres:
        assert answer(postgres) == 42
        sockets = socket_folder(postgres)
        assert sockets.stat().st_mode & 0o077 == 0
        check_password_is_required(postgres)
        assert (long_home / "postgres.password").stat().st_mode & 0o077 == 0
        assert "password" not in make_url(postgres.url).translate_connect_args()
    assert not sockets.exists()
    assert {parent: parent.stat().st_mode for parent in long_home.parents} == parents


@_AS_ROOT
def test_another_user_cannot_even_open_the_socket(long_home: Path) -> None:
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    with embedded_postgres(long_home / "postgres") as postgres:
        command = ["python3", "-c", connect, f"{socket_folder(postgres)}/.s.PGSQL.5432"]
        done = subprocess.run(
            command,
            user=_NOBODY,
            group=_NOBODY,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    assert "PermissionError" in done.stderr


@_AS_ROOT
def test_root_gets_a_database_beside_a_closed_home_and_no_folder_is_opened_for_it() -> None:
    with tempfile.TemporaryDirectory() as folder:
        closed = Path(folder)
        assert closed.stat().st_mode & 0o777 == 0o700
        with embedded_postgres(closed / "postgres") as postgres:
            assert answer(postgres) == 42
            assert postmaster(closed).uids().real != 0
            check_password_is_required(postgres)
        assert closed.stat().st_mode & 0o777 == 0o700
        with embedded_postgres(closed / "postgres") as again:
            assert answer(again) == 42
        shutil.rmtree((closed / "postgres").resolve().parent)


def test_data_that_trusted_everybody_are_closed_at_the_next_start(home: Path) -> None:
    with embedded_postgres(home / "postgres"):
        pass
    (home / "postgres.password").unlink()
    (home / "postgres" / "pg_hba.conf").write_text("local all all trust\n")
    with embedded_postgres(home / "postgres") as postgres:
        assert answer(postgres) == 42
        check_password_is_required(postgres)


def test_a_killed_database_starts_again_at_the_same_place(long_home: Path) -> None:
    with embedded_postgres(long_home / "postgres") as postgres:
        before = postgres.url
        killed = postmaster(long_home)
        killed.kill()
        psutil.wait_procs([killed], timeout=30)
        assert not postgres.is_running()
        postgres.start()
        assert postgres.url == before
        assert answer(postgres) == 42


@contextmanager
def another_user(home: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _USE_UNTIL_KILLED, str(home / "postgres")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def test_a_clean_stop_ends_the_database_that_a_killed_process_has_started(home: Path) -> None:
    with another_user(home) as first:
        first.send_signal(signal.SIGKILL)
        first.wait(30)
        running = postmaster(home)
        with embedded_postgres(home / "postgres") as postgres:
            assert postmaster(home) == running
            assert answer(postgres) == 42
        assert not running.is_running()


def test_the_database_runs_until_its_last_user_leaves(home: Path) -> None:
    with another_user(home) as first:
        running = postmaster(home)
        with embedded_postgres(home / "postgres") as postgres:
            assert answer(postgres) == 42
        assert running.is_running()
        assert first.stdin is not None
        first.stdin.close()
        assert first.wait(60) == 0
        assert not running.is_running()
