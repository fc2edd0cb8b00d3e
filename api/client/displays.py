"""Progress displays: bars on a terminal and in a notebook, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from api.client import html
from api.client.events import StudyEvent
from api.client.progress import Bar
from api.tabular.console import console, plain

if TYPE_CHECKING:
    from IPython.display import HTML

_NOTEBOOK_PERIOD_S = 0.25


class Shown(Protocol):
    """The progress that a stream of events adds up to."""

    def apply(self, event: StudyEvent) -> str | None:
        """Apply an event; returns a line about it if it deserves one."""

    def bars(self) -> list[Bar]:
        """One progress bar per part of the work."""

    def standing(self) -> str:
        """A line that summarizes the state."""


class Display(Protocol):
    def update(self, line: str | None) -> None:
        """Show the new state; ``line`` describes the event."""


@contextmanager
def display(shown: Shown) -> Iterator[Display]:
    """The display that suits standard output."""
    output = console()
    if output.is_jupyter:
        notebook = _Notebook(shown)
        yield notebook
        notebook.close()
    elif output.is_terminal:
        with Live(console=output, refresh_per_second=4) as live:
            yield _Bars(live, shown)
    else:
        yield _Lines(output)


class _Lines:
    """A line per event, for pipes and log files."""

    def __init__(self, output: Console) -> None:
        self._console = output

    def update(self, line: str | None) -> None:
        if line is not None:
            self._console.print(plain(line), soft_wrap=True)


class _Bars:
    """Progress bars and a summary line."""

    def __init__(self, live: Live, shown: Shown) -> None:
        self._live, self._shown = live, shown
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[counted]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._tasks: dict[str, TaskID] = {}
        self.update(None)

    def update(self, line: str | None) -> None:
        for bar in self._shown.bars():
            if bar.name not in self._tasks:
                self._tasks[bar.name] = self._bars.add_task(bar.name, counted="", note="")
            task = self._tasks[bar.name]
            self._bars.update(task, completed=bar.done, total=bar.total, counted=bar.counted, note=plain(bar.note))
        self._live.update(Group(self._bars, Text(plain(self._shown.standing()))))


class _Notebook:
    """Bars and summary below the notebook cell that waits."""

    def __init__(self, shown: Shown) -> None:
        from IPython import display as ipython

        self._shown = shown
        self._html: Callable[[str], HTML] = ipython.HTML
        self._cell = ipython.display(self._content(), display_id=True)
        self._drawn_at_s = time.monotonic()

    def update(self, line: str | None) -> None:
        if time.monotonic() >= self._drawn_at_s + _NOTEBOOK_PERIOD_S:
            self.close()

    def close(self) -> None:
        """Draw the final state."""
        self._cell.update(self._content())
        self._drawn_at_s = time.monotonic()

    def _content(self) -> "HTML":
        bars = [
            f"{bar.name} {html.bar(bar.done, bar.total, f'{bar.counted} {bar.note}')}" for bar in self._shown.bars()
        ]
        return self._html("<br>".join([*bars, html.text(self._shown.standing())]))
