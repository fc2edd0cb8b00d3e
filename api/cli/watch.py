"""Watching a study until it ends."""

from api.cli.errors import CommandError
from api.cli.leaderboard import show_trials
from api.cli.output import TextFormat, print_json
from api.client.client import Client
from api.client.waiting import wait_for_study
from api.schemas import StudyView
from search.contract.states import StudyState


def watch_to_end(client: Client, study: StudyView, format_: TextFormat = "text") -> None:
    """Show a study's progress and, at its end, its leaderboard; as JSON, the study at its end.

    CommandError unless it completed.
    """
    ended = wait_for_study(client, study.id, progress=format_ == "text")
    if format_ == "json":
        print_json(ended)
    elif ended.progress.finished:
        show_trials(client, study.id)
    if ended.state is not StudyState.COMPLETED:
        raise CommandError(f"study {study.id} is {ended.state}: {ended.reason or 'by request'}")
