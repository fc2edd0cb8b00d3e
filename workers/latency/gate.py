"""HostGate: the agreement by which one measurement at a time owns the host's cores. POSIX only (flock).

Whoever computes on the host (a trainer, an exporter) wraps each unit of work in ``working()``; whoever measures wraps
the measurement in ``measuring()``, which waits for the running units and keeps new ones out. Two lock files carry it:

- the slot is held shared by each unit of work, and exclusively by the measurement;
- the turnstile is passed by each unit before it takes the slot, and held by the measurement from before it waits for
  the slot until its end. So new units queue behind a waiting measurement, and it cannot starve.

The operating system releases the locks of a process that dies.
"""

import fcntl
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_POLL_S = 0.005


class SlotBusyError(RuntimeError):
    """The slot was not free within ``timeout_s``; a retry makes sense once its holders have finished."""


class HostGate:
    """The gate of all processes that name the same ``directory`` on one host.

    The default is a folder of the user's in the system's temporary directory. For the jobs of several users, name
    a directory that all of them may read. Threads may share a gate: each holds locks of its own.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or Path(tempfile.gettempdir()) / f"seedleaf-{os.getuid()}"
        self._of_this_thread = threading.local()

    @contextmanager
    def working(self, *, timeout_s: float | None = None) -> Iterator[None]:
        """Hold the host for one short unit of work (a training step); free inside ``working()`` or ``measuring()``.

        Raises SlotBusyError where a measurement does not end within ``timeout_s``.
        """
        locks = self._locks()
        if locks.held:
            yield
            return
        deadline_s = _deadline_s(timeout_s)
        locks.turnstile.acquire(fcntl.LOCK_SH, deadline_s)
        try:
            locks.slot.acquire(fcntl.LOCK_SH, deadline_s)
        finally:
            locks.turnstile.release()
        with locks.holding():
            yield

    @contextmanager
    def measuring(self, *, timeout_s: float | None = None) -> Iterator[None]:
        """Own the host: no unit of work and no other measurement runs meanwhile.

        Raises SlotBusyError where the units and measurements before it do not end within ``timeout_s``.
        """
        locks = self._locks()
        if locks.held:
            raise RuntimeError("this thread already holds the host: leave working() or measuring() first")
        deadline_s = _deadline_s(timeout_s)
        locks.turnstile.acquire(fcntl.LOCK_EX, deadline_s)
        try:
            locks.slot.acquire(fcntl.LOCK_EX, deadline_s)
            with locks.holding():
                yield
        finally:
            locks.turnstile.release()

    def _locks(self) -> "_Locks":
        """This thread's locks; opened anew after a fork, and where a cleaner of temporary files deleted them."""
        locks: _Locks | None = getattr(self._of_this_thread, "locks", None)
        if locks is None or not locks.usable:
            locks = self._of_this_thread.locks = _Locks(self.directory)
        return locks


class _Lock:
    """One open lock file; closed when it is forgotten."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = _open(path)
        self.close = weakref.finalize(self, os.close, self._fd)

    @property
    def usable(self) -> bool:
        return self.close.alive and os.fstat(self._fd).st_nlink > 0

    def acquire(self, operation: int, deadline_s: float | None) -> None:
        if deadline_s is None:
            fcntl.flock(self._fd, operation)
            return
        while True:
            try:
                fcntl.flock(self._fd, operation | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline_s:
                    raise SlotBusyError(_busy_message(self.path)) from None
            time.sleep(_POLL_S)

    def release(self) -> None:
        if self.close.alive:
            fcntl.flock(self._fd, fcntl.LOCK_UN)


class _Locks:
    """The two locks of one thread, and whether it holds the slot."""

    def __init__(self, directory: Path) -> None:
        self.turnstile = _Lock(directory / "turnstile.lock")
        self.slot = _Lock(directory / "slot.lock")
        self.held = False
        _OPEN.add(self)

    @property
    def usable(self) -> bool:
        return self.held or (self.turnstile.usable and self.slot.usable)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """From the slot's acquisition to its release."""
        self.held = True
        try:
            yield
        finally:
            self.held = False
            self.slot.release()


_OPEN: weakref.WeakSet[_Locks] = weakref.WeakSet()


def _let_go() -> None:
    """A forked child shares its parent's open files: left open, they would keep the locks when the parent dies."""
    for locks in list(_OPEN):
        locks.held = False
        locks.turnstile.close()
        locks.slot.close()


os.register_at_fork(after_in_child=_let_go)


def _open(path: Path) -> int:
    """Open for reading only: enough for flock, and another user's file allows no more."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return os.open(path, os.O_RDONLY)


def _deadline_s(timeout_s: float | None) -> float | None:
    return None if timeout_s is None else time.monotonic() + timeout_s


def _busy_message(path: Path) -> str:
    holders = ", ".join(_described(pid) for pid in _holders(path)) or "a process that this system does not tell"
    return f"the benchmark slot ({path}) is held by {holders}: wait until it ends, or allow a longer timeout_s"


def _holders(path: Path) -> list[int]:
    """Ids of the processes that hold ``path``, from /proc/locks (man 5 proc_locks); none on systems without it."""
    table = Path("/proc/locks")
    if not table.exists():
        return []
    status = path.stat()
    file_id = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    rows = [line.split() for line in table.read_text().splitlines()]
    return sorted({int(row[4]) for row in rows if row[1] == "FLOCK" and row[5] == file_id and int(row[4]) > 0})


def _described(pid: int) -> str:
    try:
        words = " ".join(psutil.Process(pid).cmdline()).split()
    except psutil.Error:
        return f"process {pid}"
    return f"process {pid} ({' '.join(words)[:120]})"
