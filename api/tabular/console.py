"""Standard output for people: colours and bars on a terminal only; no markup in texts."""

import re

from rich.console import Console

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

#: The colour of a state's name on a terminal.
STYLES = {
    "ok": "green",
    "note": "yellow",
    "trouble": "bold red",
    "QUEUED": "cyan",
    "RUNNING": "cyan",
    "PAUSED": "yellow",
    "COMPLETED": "green",
    "STOPPED": "yellow",
    "INFEASIBLE": "dim",
    "FAILED": "bold red",
    "CANCELLED": "dim",
}


def plain(text: str) -> str:
    """The text with control characters written out: a name must not send escape sequences to a terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def console(width: int | None = None) -> Console:
    """``width`` in characters; the terminal's by default."""
    return Console(width=width, markup=False, highlight=False, emoji=False)
