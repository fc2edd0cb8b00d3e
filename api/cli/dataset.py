"""``seedleaf dataset``: check and augment a data set on this machine, before a study is posted."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from subprocess import PIPE
from typing import Annotated

import typer
from rich.progress import Progress

from api.cli.documents import read_dataset, read_policy
from api.cli.errors import CommandError
from api.cli.output import Format, TextFormat, print_csv, print_json, print_table
from api.cli.process import run_worker
from api.cli.reports import AugmentedPart
from api.tabular.console import console, plain
from search.contract.dataset_report import DatasetReport, Skipped

app = typer.Typer(no_args_is_help=True, help="Check and augment a data set.")
_MOST_NAMED = 20
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="A study's file, or a file with its dataset part only.")]
PolicyFile = Annotated[Path, typer.Option(help="A policy's YAML file; see examples/policies/.")]


@app.callback()
def _group() -> None:
    """Without a callback, Typer would turn a group of one command into that command."""


@app.command()
def check(
    path: SpecFile,
    format_: Format = "table",
) -> None:
    """Check classes, sizes, unreadable images, duplicates and leaks; exit code 1 if a study could not use it."""
    report = run_worker("workers.data", read_dataset(path).model_dump_json(), DatasetReport)
    if format_ == "json":
        print_json(asdict(report))
    elif format_ == "csv":
        columns = ("name", "images", "train", "validation", "test")
        print_csv([{column: getattr(item, column) for column in columns} for item in report.classes])
    else:
        for line in _header(report):
            print(plain(line))
        counted = ("images", "train", "validation", "test")
        rows = [[item.name, *(str(getattr(item, column)) for column in counted)] for item in report.classes]
        print_table(["class", *counted], rows, left=frozenset({"class"}))
        for line in _findings(report):
            print(plain(line))
    if not report.loadable:
        raise CommandError("a study cannot use this data set: fix the problems above")


@app.command()
def augment(
    path: SpecFile,
    policy: PolicyFile,
    out: Annotated[Path, typer.Option(help="A new folder, or the folder of the same job after an interruption.")],
    copies: Annotated[int, typer.Option(min=1, max=20, help="Augmented copies per original.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    format_: TextFormat = "text",
) -> None:
    """Write the originals and augmented copies of them, one folder per class."""
    images, skipped = 0, list[str]()
    with Progress(console=console(), disable=not sys.stdout.isatty() or format_ == "json") as progress:
        bar = progress.add_task("augmenting")
        for part in _augmentation(path, policy, out, seed, copies=copies):
            progress.update(bar, completed=part.done, total=part.total)
            images += part.images
            skipped += _with_reasons(part.skipped)
    if format_ == "json":
        print_json({"out": str(out), "images": images, "skipped": skipped})
        return
    print(*map(plain, _listed("cannot be used", skipped)), sep="\n", end="\n" if skipped else "")
    print(f"{images} images in {out}")


@app.command()
def preview(
    path: SpecFile,
    policy: PolicyFile,
    out: Annotated[Path, typer.Option(help="The PNG file to write.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random draws.")] = 0,
    format_: TextFormat = "text",
) -> None:
    """Draw some images, each beside augmented copies of it."""
    for _ in _augmentation(path, policy, out, seed):
        pass
    if format_ == "json":
        print_json({"out": str(out)})
    else:
        print(f"{out}: each line an original and its augmented copies")


def _augmentation(path: Path, policy: Path, out: Path, seed: int, **more: int) -> Iterator[AugmentedPart]:
    """The lines that the worker process prints. CommandError with its standard error if it fails."""
    dataset, chosen = read_dataset(path).model_dump(mode="json"), read_policy(policy).model_dump(mode="json")
    task = {"dataset": dataset, "policy": chosen, "seed": seed, "out": str(out.absolute()), **more}
    command = [sys.executable, "-m", "workers.augmentation"]
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, stderr=complaints) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(task))
        process.stdin.close()
        yield from map(AugmentedPart.model_validate_json, process.stdout)
        if process.wait():
            complaints.seek(0)
            raise CommandError(complaints.read().strip() or f"{' '.join(command)} ended with {process.returncode}")


def _header(report: DatasetReport) -> Iterator[str]:
    images = sum(item.images for item in report.classes)
    imbalance = f", the largest {report.imbalance:.1f} times the smallest" if report.imbalance else ""
    yield f"{images} usable images of {report.photos} photos in {len(report.classes)} classes{imbalance}"
    if report.width_px and report.height_px:
        width, height = report.width_px, report.height_px
        yield (
            f"width {width.smallest} to {width.largest} px (median {width.median:g}), "
            f"height {height.smallest} to {height.largest} px (median {height.median:g})"
        )
        yield ", ".join(f"{count} {kind}" for kind, count in sorted(report.kinds.items(), key=lambda item: -item[1]))


def _findings(report: DatasetReport) -> Iterator[str]:
    if boxes := report.boxes:
        dropped = "".join(f", {count} {why}" for why, count in boxes.dropped.items())
        yield f"boxes: {boxes.total}, {boxes.clipped} clipped to their image{dropped}"
    yield from _listed("cannot be used", _with_reasons(report.skipped))
    yield from _listed("photos of the same bytes", [" = ".join(names) for names in report.duplicates])
    yield from _listed("one picture in several classes", [" = ".join(names) for names in report.conflicts])
    yield from _listed("in training and in validation", report.leaks)
    yield from (f"problem: {problem}" for problem in report.problems)
    yield f"data set {report.id[:16]}: " + ("no problem found" if report.ok else "see the problems above")


def _with_reasons(skipped: Sequence[Skipped]) -> list[str]:
    return [f"{image.name}: {image.reason}" for image in skipped]


def _listed(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{title}: {len(names)}"
        yield from (f"  {name}" for name in names[:_MOST_NAMED])
        if len(names) > _MOST_NAMED:
            yield f"  and {len(names) - _MOST_NAMED} more; --format json names all"
