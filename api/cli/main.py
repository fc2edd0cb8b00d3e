"""The command ``seedleaf``. Exit codes: 0, 1 for a failure that is told in a line or few, 2 for wrong usage."""

import sys

import typer

from api.cli import (
    bench,
    compress,
    dataset,
    doctor,
    fetch,
    infer,
    key,
    leaderboard,
    model,
    quickstart,
    recipes,
    serve,
    study,
    train,
)
from api.cli.errors import CommandError
from api.client.errors import SeedleafError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Find the smallest, fastest image classifier that is good enough. The server is found by SEEDLEAF_URL.",
)
app.command()(serve.up)
app.command()(quickstart.quickstart)
app.command()(doctor.doctor)
app.add_typer(study.app, name="study")
app.command()(leaderboard.leaderboard)
app.command()(train.train)
app.command()(compress.compress)
app.command()(recipes.recipes)
app.command()(fetch.fetch)
app.command()(infer.infer)
app.command()(bench.bench)
app.add_typer(dataset.app, name="dataset")
app.add_typer(model.app, name="model")
app.add_typer(key.app, name="key")


def main() -> None:
    try:
        app()
    except (CommandError, SeedleafError) as error:
        sys.exit(f"seedleaf: {error}")
