"""The command ``seedleaf``. Exit codes: 0, 1 for a failure with a short message, 2 for wrong usage."""

import sys

import typer

from api.cli.commands import SeedleafGroup
from api.cli.errors import CommandError
from api.client.errors import SeedleafError
from api.tabular.console import plain

app = typer.Typer(
    cls=SeedleafGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Find the smallest, fastest image classifier that is good enough. SEEDLEAF_URL names the server.",
)


@app.callback()
def _group() -> None:
    """The callback makes Typer build a group; its commands come from ``SeedleafGroup``."""


def main() -> None:
    try:
        app()
    except (CommandError, SeedleafError) as error:
        sys.exit(plain(f"seedleaf: {error}"))
