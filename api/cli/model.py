"""``seedleaf model``: a network in the competition's format looked at, before anything is trained."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.documents import read_network
from api.cli.errors import CommandError
from api.cli.output import Format, print_csv, print_json, print_table
from api.cli.process import ask
from api.tabular import formats
from search.spaces.model_yaml import ArchitectureText

app = typer.Typer(no_args_is_help=True, help="Look at a network.")
HEADERS = ("#", "repeat", "module", "arguments", "output", "macs", "params")
_LEFT = frozenset({"module", "arguments", "output"})


@app.callback()
def _group() -> None:
    """Typer makes a group of one command the command itself, unless the group has a callback."""


@app.command()
def show(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="An architecture, as fetch writes it to model.yaml.")],
    classes: Annotated[int | None, typer.Option(min=1, help="How many classes the network must end with.")] = None,
    format_: Format = "table",
) -> None:
    """What each layer makes of an image and costs; exit code 1, with the line of the file, if it does not work."""
    document = read_network(path)
    answer = _costs(document, path, classes)
    layers = [
        {"repeat": repeat, "module": module, "arguments": list(arguments), **cost}
        for (repeat, module, arguments), cost in zip(document.architecture.backbone, answer["layers"], strict=True)
    ]
    if format_ == "json":
        print_json({"layers": layers, "totals": answer["totals"]})
    elif format_ == "csv":
        print_csv(layers)
    else:
        print_table(HEADERS, [row(number, layer) for number, layer in enumerate(layers, start=1)], left=_LEFT)
        totals = answer["totals"]
        print(
            f"{formats.si(totals['macs'])} macs, {formats.si(totals['params'])} params, "
            f"{formats.size(totals['memory_bytes'])} of memory for one image of {document.side_px} px"
        )


def _costs(document: ArchitectureText, path: Path, classes: int | None) -> dict[str, Any]:
    if document.side_px is None:
        raise CommandError(f"{path} names no INPUT_SIZE: add the image's side in pixels, as INPUT_SIZE: 96")
    architecture = document.architecture.model_dump(mode="json")
    task = {"architecture": architecture, "side_px": document.side_px, "classes": classes}
    answer = ask("workers.models", json.dumps(task))
    if "problem" in answer:
        line = document.lines[answer["layer"] - 1] if answer["layer"] else 1
        raise CommandError(f"{path}, line {line}: {answer['problem']}")
    return answer


def row(number: int, layer: dict[str, Any]) -> list[str]:
    """A layer of the report as cells under HEADERS."""
    return [
        str(number),
        str(layer["repeat"]),
        layer["module"],
        ", ".join(json.dumps(argument).strip('"') for argument in layer["arguments"]),
        " x ".join(map(str, layer["shape"])),
        f"{layer['macs']:,}",
        f"{layer['params']:,}",
    ]
