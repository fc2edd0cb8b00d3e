"""``seedleaf study``: create, list, show, watch, pause, resume, cancel, delete, extend, and the spec's JSON Schema."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli import importance as importance_rows
from api.cli.documents import read_spec
from api.cli.errors import CommandError
from api.cli.names import StudyName, find_study
from api.cli.optuna_import import import_points
from api.cli.output import Format, TextFormat, Wide, print_csv, print_json, print_table
from api.cli.prompts import file_from_terminal
from api.cli.watch import watch_to_end
from api.client.client import Client
from api.client.errors import RequestRejectedError
from api.exporters.exporter import Target
from api.schemas import StudyView
from api.tabular.console import plain
from api.tabular.studies import HEADERS, NARROW, WORDS, details, flat, networks, row
from search.contract.metrics import MetricName
from search.study.spec import StudySpec

app = typer.Typer(no_args_is_help=True, help="Create and manage studies.")


@app.command()
def create(
    spec: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="The study as YAML or JSON; without it, prompts ask for the main settings.",
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show its progress until it ends.")] = False,
    format_: TextFormat = "text",
) -> None:
    """Queue a study; without a file, ask for the main settings and write one first."""
    checked = read_spec(spec or file_from_terminal())
    with Client() as client:
        study = client.create_study(checked)
        if format_ == "text":
            print(f"created study {study.id}", flush=True)
            print(f"{networks(checked)} networks in the space", file=sys.stderr)  # scripts read the id from the rest
        if watch:
            _watch(client, study, format_)
        elif format_ == "json":
            print_json(study)


@app.command("list")
def list_(wide: Wide = False, format_: Format = "table") -> None:
    """List the studies, newest first."""
    with Client() as client:
        studies = list(client.iter_studies())
    if format_ == "json":
        print_json(studies)
    elif format_ == "csv":
        print_csv([flat(study) for study in studies])
    else:
        print_table(HEADERS, [row(study) for study in studies], left=WORDS, narrow=None if wide else NARROW)


@app.command()
def show(name: StudyName, format_: Format = "table") -> None:
    """Show one study."""
    with Client() as client:
        study = find_study(client, name)
    if format_ == "json":
        print_json(study)
    elif format_ == "csv":
        print_csv([flat(study)])
    else:
        for name, value in details(study):
            print(f"{name:<16}  {plain(value)}")


@app.command()
def importance(
    name: StudyName,
    metric: Annotated[MetricName, typer.Option(help="The best trials by this metric.")] = "f1",
    format_: Format = "table",
) -> None:
    """Show which choices and augmentation operations set the best trials apart."""
    with Client() as client:
        result = find_study(client, name).importance(metric)
    if format_ == "json":
        print_json(result)
    elif format_ == "csv":
        print_csv(importance_rows.flat(result))
    elif not result.parameters:
        print(importance_rows.no_parameters(result))
    else:
        print(f"the best {result.best} of {result.trials} trials by {metric}")
        print_table(
            importance_rows.PARAMETER_HEADERS, importance_rows.parameter_rows(result), left=importance_rows.WORDS
        )
        if result.operations:
            print_table(
                importance_rows.OPERATION_HEADERS,
                [importance_rows.operation_row(use) for use in result.operations],
                left=importance_rows.WORDS,
            )


@app.command("watch")
def watch_study(name: StudyName, format_: TextFormat = "text") -> None:
    """Show a study's progress until it ends; as JSON, the study once it has ended."""
    with Client() as client:
        _watch(client, find_study(client, name), format_)


@app.command()
def pause(name: StudyName, format_: TextFormat = "text") -> None:
    """Start no more trials; running trials finish."""
    with Client() as client:
        _report(find_study(client, name).pause(), format_)


@app.command()
def resume(name: StudyName, format_: TextFormat = "text") -> None:
    """Resume a paused study."""
    with Client() as client:
        _report(find_study(client, name).resume(), format_)


@app.command()
def cancel(name: StudyName, format_: TextFormat = "text") -> None:
    """End a study for good, with its running trials and compression jobs."""
    with Client() as client:
        _report(find_study(client, name).cancel(), format_)


@app.command()
def delete(
    name: StudyName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    format_: TextFormat = "text",
) -> None:
    """Delete a study that has ended, with its trials, models and files; this cannot be undone."""
    with Client() as client:
        try:
            study = find_study(client, name)
        except RequestRejectedError:
            study_id = name  # the server knows whether there was such a study before
        else:
            study_id = study.id
            if not yes:
                _confirm_deletion(study)
        client.delete_study(study_id)
    if format_ == "json":
        print_json({"deleted": study_id})
    else:
        print(f"deleted study {study_id}")


@app.command()
def extend(
    name: StudyName,
    trials: Annotated[int, typer.Option(min=1, help="The new total of trials.")],
    format_: TextFormat = "text",
) -> None:
    """Raise the number of trials; a study that has ended resumes its search."""
    with Client() as client:
        _report(find_study(client, name).extend(max_trials=trials), format_)


@app.command("export")
def export_study(
    name: StudyName,
    to: Annotated[Target, typer.Option(help="The format to write.")],
    out: Annotated[str, typer.Option(help="A file for Optuna, a folder for TensorBoard, a tracking URI for MLflow.")],
    live: Annotated[bool, typer.Option("--live", help="Follow the study: write each trial as it ends.")] = False,
    format_: TextFormat = "text",
) -> None:
    """Export a study's trials to Optuna, MLflow or TensorBoard."""
    from api.exporters.export import export

    with Client() as client:
        study = find_study(client, name)
        trials = export(client, study, to, out, live=live)
    if format_ == "json":
        print_json({"study_id": study.id, "to": to, "out": out, "trials": trials})
    else:
        print(f"{trials} trials of study {study.id} are in {out}")


app.command("import")(import_points)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a study's spec."""
    print(json.dumps(StudySpec.model_json_schema(), indent=2))


def _confirm_deletion(study: StudyView) -> None:
    """CommandError unless the user at the terminal says yes."""
    if not sys.stdin.isatty():
        raise CommandError("nobody can be asked here: give --yes to delete the study")
    question = f"Delete study {study.id} ({study.name}), {study.progress.finished} trials, with their models and files?"
    if not typer.confirm(plain(question), err=True):
        raise CommandError("nothing was deleted")


def _report(study: StudyView, format_: TextFormat) -> None:
    if format_ == "json":
        print_json(study)
    else:
        print(f"study {study.id} is {study.state}, {study.progress.finished} of {study.progress.total} trials finished")


def _watch(client: Client, study: StudyView, format_: TextFormat) -> None:
    try:
        watch_to_end(client, study, format_)
    except KeyboardInterrupt:
        raise CommandError(
            f"stopped watching; study {study.id} goes on. Watch it again: seedleaf study watch {study.id}"
        ) from None
