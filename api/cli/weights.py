"""``seedleaf weights``: the pretrained weights that networks start from, and the folder that all nodes see."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from api.cli.errors import CommandError
from api.cli.output import Format, TextFormat, print_csv, print_json, print_table
from api.cli.process import run_worker
from api.cli.reports import WeightsReport
from api.tabular import formats
from search.weights.catalog import KNOWN, TORCHVISION
from search.weights.folder import StoredWeights, WeightsFolder
from search.weights.lookup import find_weights
from search.weights.safetensors import read_head, with_metadata

app = typer.Typer(no_args_is_help=True, help="List, add and download pretrained weights.")
_HEADERS = ("network", "here", "size", "licence", "where")
_LEFT = frozenset({"network", "here", "licence", "where"})
_WORKER = "workers.models.weights_file"


class _Row(BaseModel):
    """``here`` is None where the weights are not on this machine; they come from ``origin`` then."""

    model_config = ConfigDict(frozen=True)

    network: str
    here: str | None
    size_bytes: int | None
    license: str | None
    origin: str
    where: str | None


@app.command("list")
def list_(format_: Format = "table") -> None:
    """List the networks with known weights, and those in the weights folder: where each is, its size and licence."""
    with _explained():
        folder = _folder()
        rows = [_row(name, folder) for name in sorted({*KNOWN, *folder.names()})]
    if format_ == "json":
        print_json(rows)
    elif format_ == "csv":
        print_csv([row.model_dump(mode="json") for row in rows])
    else:
        print_table(_HEADERS, [_cells(row) for row in rows], left=_LEFT)
        print(f"weights folder: {folder.where}")


@app.command()
def add(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A .safetensors file of weights.")
    ],
    name: Annotated[
        str | None, typer.Option(help="The network: timm's name, or torchvision-NAME; by default the file's name.")
    ] = None,
    license_: Annotated[str | None, typer.Option("--license", help="The licence of the weights.")] = None,
    format_: TextFormat = "text",
) -> None:
    """Check that a file holds a network's weights, and copy it into the weights folder."""
    with tempfile.TemporaryDirectory(prefix="seedleaf-weights-") as scratch:
        report = WeightsReport(network=path.stem)
        if path.suffix != ".safetensors":
            converted = Path(scratch) / "converted.safetensors"
            report = _work({"do": "convert", "path": str(path.absolute()), "out": str(converted)})
            path = converted
        network = name or report.network or path.stem
        _check(network, path)
        metadata = {"origin": report.origin, "license": license_ or report.license}
        stored = _store(network, path.read_bytes(), metadata)
    _tell(stored, format_)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The network: timm's name, or torchvision-NAME.")],
    format_: TextFormat = "text",
) -> None:
    """Download a network's weights from the Hugging Face hub, or from torchvision, into the weights folder."""
    known = KNOWN.get(name)
    with tempfile.TemporaryDirectory(prefix="seedleaf-weights-") as scratch:
        path = Path(scratch) / "downloaded.safetensors"
        if name.startswith(TORCHVISION):
            _work({"do": "download", "network": name, "out": str(path)})
            origin, license_ = (known.origin, known.license) if known else (name, None)
        else:
            if known is not None:
                origin, license_ = known.origin, known.license
            else:
                located = _work({"do": "locate", "network": name})
                origin, license_ = located.origin or name, located.license
            _download(name, origin, path)
        _check(name, path)
        stored = _store(name, path.read_bytes(), {"origin": origin, "license": license_})
    _tell(stored, format_)


def _folder() -> WeightsFolder:
    from services.settings import Settings

    return WeightsFolder(Settings().weights_folder)


@contextmanager
def _explained() -> Iterator[None]:
    """What goes wrong with the folder or a file ends the command with its reason."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise CommandError(str(error)) from error


def _row(name: str, folder: WeightsFolder) -> _Row:
    found, known = find_weights(name, folder), KNOWN.get(name)
    if found is not None:
        return _Row(
            network=name,
            here=found.place,
            size_bytes=found.size_bytes,
            license=found.license,
            origin=found.origin,
            where=found.address,
        )
    assert known is not None
    return _Row(network=name, here=None, size_bytes=None, license=known.license, origin=known.origin, where=None)


def _cells(row: _Row) -> tuple[str, ...]:
    size = "" if row.size_bytes is None else formats.size(row.size_bytes)
    where = row.where or f"seedleaf weights fetch {row.network}"
    return row.network, row.here or "no", size, row.license or "unknown", where


def _work(task: Mapping[str, str]) -> WeightsReport:
    """The report of the worker process. CommandError for a problem, or where torch is not installed."""
    if not _has_torch():
        raise CommandError("this needs torch and timm: run it where seedleaf[workers,pretrained] is installed")
    report = run_worker(_WORKER, json.dumps(task), WeightsReport)
    if report.problem is not None:
        raise CommandError(report.problem)
    return report


def _has_torch() -> bool:
    return find_spec("torch") is not None and find_spec("timm") is not None


def _check(network: str, path: Path) -> None:
    """Compare the tensors of a file with the network's. CommandError names the first that differs."""
    try:
        with path.open("rb") as file:
            read_head(file)
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}") from error
    if _has_torch():
        _work({"do": "check", "network": network, "path": str(path.absolute())})
    else:
        typer.echo(f"torch is not installed here: workers check the tensors when they load {network}", err=True)


def _download(network: str, repository: str, out: Path) -> None:
    from services.downloads import DownloadError, download_from_hub

    try:
        download_from_hub(repository, out)
    except DownloadError as error:
        raise CommandError(
            f"{repository} cannot be downloaded ({error}): run `seedleaf weights fetch {network}` on a machine with "
            f"internet, then `seedleaf weights add FILE --name {network}` here"
        ) from error


def _store(network: str, content: bytes, metadata: Mapping[str, str | None]) -> StoredWeights:
    with _explained():
        told = {key: value for key, value in metadata.items() if value is not None}
        return _folder().store(network, with_metadata(content, told))


def _tell(stored: StoredWeights, format_: TextFormat) -> None:
    if format_ == "json":
        print_json(asdict(stored))
    else:
        print(f"{stored.name}: {formats.size(stored.size_bytes)} in {stored.address}")
        if stored.license is None:
            typer.echo("its licence is unknown: add the file again with --license, and model cards name it", err=True)
