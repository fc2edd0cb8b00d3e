"""What the commands print: tables and lines for people, CSV and JSON for programs."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel
from rich import box
from rich.table import Table
from rich.text import Text

from api.tabular.console import STYLES, console

_HELP = "How to print it."
#: Of commands that list.
Format = Annotated[Literal["table", "csv", "json"], typer.Option("--format", help=_HELP)]
#: Of commands that tell what they did.
TextFormat = Annotated[Literal["text", "json"], typer.Option("--format", help=_HELP)]
_TABLE_WIDTH = 240


def print_json(found: BaseModel | Sequence[BaseModel] | Mapping[str, Any]) -> None:
    """One object, or a list of them."""
    if isinstance(found, BaseModel):
        print(found.model_dump_json(indent=2))
    elif isinstance(found, Mapping):
        print(json.dumps(found, indent=2))
    else:
        print(json.dumps([model.model_dump(mode="json") for model in found], indent=2))


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
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    console(_TABLE_WIDTH).print(table)
