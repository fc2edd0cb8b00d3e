"""HTML of the client's objects for notebooks: plain tables, with every text escaped."""

from collections.abc import Iterable, Sequence
from html import escape

_MOST_ROWS = 30


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: frozenset[str]) -> str:
    """Columns named in ``left`` are words, the others numbers. A long table shows its first rows only."""
    head = "".join(_cell("th", header, header in left) for header in headers)
    body = "".join(f"<tr>{_line(headers, row, left)}</tr>" for row in rows[:_MOST_ROWS])
    more = len(rows) - _MOST_ROWS
    rest = f"<p>and {more} more: to_pandas() has all</p>" if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def pairs(values: Iterable[tuple[str, str]]) -> str:
    """A table with one line per name and value."""
    lines = "".join(f"<tr>{_cell('th', name, True)}{_cell('td', value, True)}</tr>" for name, value in values)
    return f"<table><tbody>{lines}</tbody></table>"


def text(line: str) -> str:
    """A line of text."""
    return escape(line)


def bar(done: float, total: float, note: str) -> str:
    """A progress bar with a note."""
    return f'<progress value="{done:g}" max="{max(total, 1):g}"></progress> {escape(note)}'


def _line(headers: Sequence[str], row: Sequence[str], left: frozenset[str]) -> str:
    return "".join(_cell("td", text, header in left) for header, text in zip(headers, row, strict=True))


def _cell(tag: str, text: str, is_left: bool) -> str:
    return f'<{tag} style="text-align: {"left" if is_left else "right"}">{escape(text)}</{tag}>'
