"""``seedleaf leaderboard``: the trials of a study, or their deployable variants."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import typer

from api.cli.names import LATEST, StudyName, find_study
from api.cli.output import Format, Wide, print_csv, print_json, print_table
from api.client.client import Client, Order
from api.tabular import studies as study_rows
from api.tabular import trials as trial_rows
from api.tabular import variants as variant_rows
from search.contract.metrics import NATURAL_GOALS, Goal, MetricName

Sort = Literal["number", MetricName]


def leaderboard(
    name: StudyName = LATEST,
    sort: Annotated[Sort, typer.Option(help="The metric to sort by, best first.")] = "score",
    where: Annotated[
        list[str] | None, typer.Option(help="Only rows that match, such as 'f1>=0.8'; repeatable.")
    ] = None,
    variants: Annotated[bool, typer.Option("--variants", help="List the deployable models.")] = False,
    wide: Wide = False,
    format_: Format = "table",
) -> None:
    """Show a study's trials, best first, each with its best variant."""
    with Client() as client:
        study_id = find_study(client, name).id
        show = show_variants if variants else show_trials
        show(client, study_id, where=where or (), sort=sort, wide=wide, format_=format_)


def show_trials(
    client: Client,
    study_id: str,
    *,
    where: Sequence[str] = (),
    sort: Sort = "score",
    wide: bool = False,
    format_: Format = "table",
) -> None:
    trials = list(client.iter_trials(study_id=study_id, where=where, sort=sort, order=_best_first(sort)))
    ranked = list(zip(trial_rows.ranks(trials), trials, strict=True))
    if format_ == "json":
        print_json(trials)
    elif format_ == "csv":
        print_csv([trial_rows.flat(rank, trial) for rank, trial in ranked])
    else:
        rows = [trial_rows.row(rank, trial) for rank, trial in ranked]
        print_table(trial_rows.HEADERS, rows, left=trial_rows.WORDS, narrow=None if wide else trial_rows.NARROW)
        _print_hosts(trial.host for trial in trials)
        _print_looks(client, study_id)


def show_variants(
    client: Client,
    study_id: str,
    *,
    where: Sequence[str] = (),
    sort: Sort = "score",
    wide: bool = False,
    format_: Format = "table",
) -> None:
    """Best first for each host and runtime: different ones are never ranked together."""
    variants = list(client.iter_variants(study_id=study_id, where=where, sort=sort, order=_best_first(sort)))
    if format_ == "json":
        print_json(variants)
        return
    front = client.get_front(study_id)
    eager = client.iter_variants(study_id=study_id, runtime=variant_rows.EAGER_RUNTIME) if where else ()
    rows = variant_rows.ranked(variants, front, unlisted=eager)
    if format_ == "csv":
        print_csv([variant_rows.flat(row) for row in rows])
        return
    for group in variant_rows.by_host(rows):
        cells = [variant_rows.row(row) for row in group]
        print_table(variant_rows.HEADERS, cells, left=variant_rows.WORDS, narrow=None if wide else variant_rows.NARROW)
        _print_hosts(row.variant.host for row in group)
    _print_looks(client, study_id)
    if front.recommended is not None:
        print(f"the recommended model: seedleaf fetch {front.recommended} --out DIR")


def _best_first(sort: Sort) -> Order:
    return "desc" if sort != "number" and NATURAL_GOALS[sort] is Goal.MAXIMIZE else "asc"


def _print_looks(client: Client, study_id: str) -> None:
    """How often the test split was looked at, and why models were not scored on it."""
    if looks := study_rows.looks(client.get_study(study_id)):
        print(f"F1 test: on the test split, with its 95% interval; {looks}")


def _print_hosts(hosts: Iterable[str | None]) -> None:
    names = sorted({host for host in hosts if host})
    if names:
        print(f"latency: median of batch 1 with its 95% interval, on {'; '.join(names)}")
