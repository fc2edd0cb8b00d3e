"""What the commands print: tables for people, CSV and JSON for programs."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.table import Table

Format = Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")]
_PIPED_WIDTH = 240


def console() -> Console:
    """Standard output; where it is no terminal, lines are not folded."""
    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    return Console(width=width, markup=False, highlight=False, emoji=False)


def print_json(models: BaseModel | Sequence[BaseModel]) -> None:
    """One object, or a list of them."""
    if isinstance(models, BaseModel):
        print(models.model_dump_json(indent=2))
    else:
        print(json.dumps([model.model_dump(mode="json") for model in models], indent=2))


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """A header and a line a row; nothing where there is no row."""
    if rows:
        writer = csv.DictWriter(sys.stdout, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: frozenset[str]) -> None:
    """Columns named in ``left`` are words, the others numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        table.add_column(header, justify="left" if header in left else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)
