"""Watching a study: progress bars on a terminal, plain lines elsewhere, until it ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from api.cli.errors import CommandError
from api.cli.leaderboard import show_trials
from api.cli.output import console
from api.client.client import Client
from api.client.progress import StudyProgress
from api.schemas import StudyView
from search.states import StudyState

_OVER = (StudyState.COMPLETED, StudyState.FAILED, StudyState.CANCELLED)


def watch_to_end(client: Client, study: StudyView) -> None:
    """Show a study's progress, and its leaderboard when it ends. CommandError unless it completed."""
    ended = _watch(client, study)
    if ended.progress.finished:
        show_trials(client, study.id)
    if ended.state is not StudyState.COMPLETED:
        raise CommandError(f"study {study.id} is {ended.state}: {ended.reason or 'by request'}")


def _watch(client: Client, study: StudyView) -> StudyView:
    progress = StudyProgress(study.spec)
    with _display(console(), progress) as display:
        for event in client.events(study.id):
            line = progress.apply(event)
            display.update(line)
            # An old end may have been followed by more budget: the study itself knows.
            if event.kind == "study" and progress.state in _OVER:
                present = client.get_study(study.id)
                if present.state in _OVER:
                    return present
    raise AssertionError("the stream of events has no end")


class _Lines:
    """A line for what ends, for pipes and log files."""

    def __init__(self, output: Console) -> None:
        self._console = output

    def update(self, line: str | None) -> None:
        if line is not None:
            self._console.print(line, soft_wrap=True)


class _Bars:
    """A bar for the search, one for the compression, and a line for how it stands."""

    def __init__(self, live: Live, progress: StudyProgress) -> None:
        self._live, self._progress = live, progress
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._search = self._bars.add_task("search", total=progress.total, count="", note="")
        self._compression = self._bars.add_task("compression", start=False, visible=False, count="", note="")
        self.update(None)

    def update(self, line: str | None) -> None:
        study = self._progress
        self._bars.update(
            self._search,
            completed=study.trials_done,
            total=study.total,
            count=f"{study.finished}/{study.total} trials",
            note=study.pace(),
        )
        if study.jobs_total:
            self._bars.start_task(self._compression)
            self._bars.update(
                self._compression,
                completed=study.jobs_done,
                total=study.jobs_total,
                visible=True,
                count=f"{study.jobs_done}/{study.jobs_total} jobs",
            )
        self._live.update(Group(self._bars, Text(self._standing())))

    def _standing(self) -> str:
        best, fastest = self._progress.best, self._progress.fastest
        parts = (str(self._progress.state), best and f"best {best}", fastest and f"fastest {fastest}")
        return "; ".join(part for part in parts if part)


@contextmanager
def _display(output: Console, progress: StudyProgress) -> Iterator[_Lines | _Bars]:
    if not output.is_terminal:
        yield _Lines(output)
        return
    with Live(console=output, refresh_per_second=4) as live:
        yield _Bars(live, progress)
