"""``seedleaf study import``: write a study's file that tries the best points of an Optuna study first."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from api.cli.documents import read_spec
from api.cli.errors import CommandError
from api.cli.output import TextFormat, print_json


def import_points(
    storage: Annotated[str, typer.Argument(help="Optuna's storage: a database URL, a SQLite file or a journal.")],
    spec: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A study's file, as YAML.")],
    out: Annotated[Path, typer.Option(help="The study's file to write, with these points to try first.")],
    study: Annotated[str | None, typer.Option(help="The name of the Optuna study, if there are several.")] = None,
    points: Annotated[int, typer.Option(min=1, max=1000, help="How many points at most.")] = 20,
    format_: TextFormat = "text",
) -> None:
    """Write a study that tries the best points of an Optuna study first, and learns from them."""
    from api.exporters.optuna_points import best_points

    if out.exists():
        raise CommandError(f"{out} exists already: name a file that does not")
    if read_spec(spec).enqueue:
        raise CommandError(f"{spec} has points to try first already: remove its enqueue")
    best = best_points(storage, study, points)
    text = f"{spec.read_text(encoding='utf-8').rstrip()}\n{yaml.safe_dump({'enqueue': best}, sort_keys=False)}"
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{out} cannot be written: {error}") from error
    if format_ == "json":
        print_json({"out": str(out), "points": best})
    else:
        print(f"wrote {out}, which tries {len(best)} points first: seedleaf study create {out}")
