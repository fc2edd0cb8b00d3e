"""Printing: tables and lines for people, CSV and JSON for programs."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import typer
from pydantic import BaseModel
from rich import box
from rich.table import Table
from rich.text import Text

from api.tabular.console import STYLES, console, plain
from api.tabular.narrow import GAP, Narrow

_HELP = "How to print it."
#: For commands that list something.
Format = Annotated[Literal["table", "csv", "json"], typer.Option("--format", help=_HELP)]
#: For commands that report what they did.
TextFormat = Annotated[Literal["text", "json"], typer.Option("--format", help=_HELP)]
#: For tables that leave out what a narrow terminal has no room for.
Wide = Annotated[bool, typer.Option("--wide", help="Show every column, however narrow the terminal is.")]
_TABLE_WIDTH = 240


def print_json(value: BaseModel | Sequence[BaseModel] | Mapping[str, object]) -> None:
    """One object, or a list of them."""
    if isinstance(value, BaseModel):
        print(value.model_dump_json(indent=2))
    elif isinstance(value, Mapping):
        print(json.dumps(value, indent=2))
    else:
        print(json.dumps([model.model_dump(mode="json") for model in value], indent=2))


def print_csv(rows: Sequence[Mapping[str, object]]) -> None:
    """A header and one line per row; nothing if there are no rows."""
    if rows:
        writer = csv.DictWriter(sys.stdout, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def _cell(value: object) -> object:
    """A text that a spreadsheet would run as a formula begins with an apostrophe (OWASP: CSV injection)."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def print_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: frozenset[str],
    narrow: Narrow | None = None,
) -> None:
    """Columns named in ``left`` are words, the others numbers. A narrow terminal wraps whole lines, never a cell.

    ``narrow`` says how the table is fitted to a terminal.
    """
    if narrow is not None and sys.stdout.isatty() and rows:
        headers, rows = narrow.fitted(headers, rows, width=console().width)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    for header in headers:
        table.add_column(header, justify="left" if header in left else "right")
    for row in rows:
        table.add_row(*(Text(plain(cell), style=STYLES.get(cell, "")) for cell in row))
    console(_TABLE_WIDTH).print(table)
