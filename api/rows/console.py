"""Standard output for people: colours and bars on a terminal only, texts as they are."""

from rich.console import Console


def console(width: int | None = None) -> Console:
    """As wide as the terminal, unless told."""
    return Console(width=width, markup=False, highlight=False, emoji=False)
