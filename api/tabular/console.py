"""Standard output for people: colours and bars on a terminal only, texts as they are."""

from rich.console import Console

#: How a word of a state is coloured, on a terminal.
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
    """As wide as the terminal, unless told."""
    return Console(width=width, markup=False, highlight=False, emoji=False)
