"""Standard output for people: colours and bars on a terminal only; no markup in texts."""

from rich.console import Console

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


def console(width: int | None = None) -> Console:
    """``width`` in characters; the terminal's by default."""
    return Console(width=width, markup=False, highlight=False, emoji=False)
