"""Ray and its jobs step back behind the server, whose users wait for answers.

Linux may divide the processor among sessions first, and by nice values only within a session (autogroups, man 7 sched).
Each of Ray's jobs is a session, so both values are set.
"""

from contextlib import suppress
from pathlib import Path

_NICENESS = 5
_SESSION = Path("/proc/self/autogroup")


def step_back() -> None:
    """Lower the priority of this process's session. Without autogroups, or if the kernel is busy, it stays."""
    if _SESSION.exists():
        with suppress(BlockingIOError):
            _SESSION.write_text(str(_NICENESS))


def behind(command: str) -> str:
    """A shell command that runs ``command`` in a shell of a session of its own, at a lower priority."""
    return f"[ -e {_SESSION} ] && echo {_NICENESS} 2> /dev/null > {_SESSION}; exec nice -n {_NICENESS} {command}"
