"""``seedleaf model``: check a network in the competition's format, and its costs, before anything is trained."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.cli.documents import read_network
from api.cli.errors import CommandError
from api.cli.output import Format, print_csv, print_json, print_table
from api.cli.process import run_worker
from api.cli.reports import LayerCost, NetworkCosts
from api.tabular import formats
from search.contract.candidate import Layer
from search.spaces.model_yaml import ArchitectureText

app = typer.Typer(no_args_is_help=True, help="Show a network's layers and costs.")
HEADERS = ("#", "repeat", "module", "arguments", "output", "macs", "params")
_OF_TIMM = "Timm"
_LEFT = frozenset({"module", "arguments", "output"})


@app.callback()
def _group() -> None:
    """Without a callback, Typer would turn a group of one command into that command."""


@app.command()
def show(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="An architecture, as fetch writes it to model.yaml.")],
    classes: Annotated[int | None, typer.Option(min=1, help="How many classes the network must end with.")] = None,
    format_: Format = "table",
) -> None:
    """Show each layer's output and costs; exit code 1, with the line of the file, if the network does not work."""
    document = read_network(path)
    costs = _costs(document, path, classes)
    layers = list(zip(document.architecture.backbone, costs.layers, strict=True))
    if format_ == "json":
        print_json({"layers": [_flat(layer, cost) for layer, cost in layers], "totals": costs.totals})
    elif format_ == "csv":
        print_csv([_flat(layer, cost) for layer, cost in layers])
    else:
        print_table(HEADERS, [row(number, *layer) for number, layer in enumerate(layers, start=1)], left=_LEFT)
        if of_timm := _networks_of_timm(layers):
            print(f"Timm...: parts of {', '.join(of_timm)}, whose name is their first argument")
        totals = costs.totals
        print(
            f"{formats.si(totals['macs'])} macs, {formats.si(totals['params'])} params, "
            f"{formats.size(totals['memory_bytes'])} of memory for one image of {document.side_px} px"
        )


def _costs(document: ArchitectureText, path: Path, classes: int | None) -> NetworkCosts:
    if document.side_px is None:
        raise CommandError(f"{path} names no INPUT_SIZE: add the image's side in pixels, as INPUT_SIZE: 96")
    architecture = document.architecture.model_dump(mode="json")
    task = {"architecture": architecture, "side_px": document.side_px, "classes": classes}
    costs = run_worker("workers.models", json.dumps(task), NetworkCosts)
    if costs.problem is not None:
        line = document.lines[costs.layer - 1] if costs.layer else 1
        raise CommandError(f"{path}, line {line}: {costs.problem}")
    return costs


def _networks_of_timm(layers: Sequence[tuple[Layer, LayerCost]]) -> list[str]:
    """The networks of timm that the layers are parts of."""
    names = [str(arguments[0]) for (_, module, arguments), _ in layers if module.startswith(_OF_TIMM)]
    return list(dict.fromkeys(names))


def row(number: int, layer: Layer, cost: LayerCost) -> list[str]:
    """A layer with its costs as cells under HEADERS. The parts of a network of timm do not repeat its name."""
    repeat, module, arguments = layer
    if module.startswith(_OF_TIMM):
        arguments = arguments[1:]
    return [
        str(number),
        str(repeat),
        module,
        ", ".join(json.dumps(argument).strip('"') for argument in arguments),
        " x ".join(map(str, cost.shape)),
        f"{cost.macs:,}",
        f"{cost.params:,}",
    ]


def _flat(layer: Layer, cost: LayerCost) -> dict[str, object]:
    repeat, module, arguments = layer
    return {"repeat": repeat, "module": module, "arguments": list(arguments), **cost.model_dump(mode="json")}
