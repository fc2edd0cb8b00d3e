"""Pins the measuring thread to cores of its own, where the operating system lets a process choose (Linux)."""

import os
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """Confine this thread, and the threads that it starts meanwhile, to ``threads`` cores; restore afterwards.

    Threads that exist already stay where they are. Raises ValueError where the process may not use that many cores.
    """
    can_pin, allowed = hasattr(os, "sched_setaffinity"), _allowed()
    if not 1 <= threads <= len(allowed):
        raise ValueError(f"this process may use {len(allowed)} cores: measure with 1 to {len(allowed)}, not {threads}")
    if not can_pin:
        yield
        return
    os.sched_setaffinity(0, chosen(allowed, threads=threads))
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def usable_cores() -> int:
    """How many logical cores this process may use, hence the most threads that it can measure with."""
    return len(_allowed())


def _allowed() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def physical_core(cpu: int) -> str:
    """The logical cores that share ``cpu``'s physical core, as Linux writes them; ``cpu`` itself where unknown."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    return path.read_text().strip() if path.exists() else str(cpu)


def chosen(allowed: Set[int], *, threads: int, core_of: Callable[[int], str] = physical_core) -> set[int]:
    """The last ``threads`` of ``allowed`` (interrupts prefer the first), on as many physical cores as there are."""
    one_of_each = {core_of(cpu): cpu for cpu in sorted(allowed)}.values()
    siblings = allowed - set(one_of_each)
    return set([*sorted(one_of_each, reverse=True), *sorted(siblings, reverse=True)][:threads])
