"""What the commands print: tables for people, CSV and JSON for programs."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel
from rich import box
from rich.table import Table

from api.rows.console import console

Format = Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")]
_TABLE_WIDTH = 240


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
    """Columns named in ``left`` are words, the others numbers. A narrow terminal wraps whole lines, never a cell."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for header in headers:
        table.add_column(header, justify="left" if header in left else "right")
    for row in rows:
        table.add_row(*row)
    console(_TABLE_WIDTH).print(table)
