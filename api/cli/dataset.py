"""``seedleaf dataset``: a data set looked at on this machine, before a study is posted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from api.cli.documents import read_dataset
from api.cli.errors import CommandError
from api.cli.output import print_table

app = typer.Typer(no_args_is_help=True, help="Look at a data set.")
_MOST_NAMED = 20


@app.callback()
def _group() -> None:
    """Typer makes a group of one command the command itself, unless the group has a callback."""


@app.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="SPEC", help="A study's file, or one with its dataset part only.")],
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Classes, sizes, what cannot be read, duplicates and leaks; exit code 1 if a study could not use it."""
    report = _report(read_dataset(path).model_dump_json())
    if output == "json":
        print(json.dumps(report, indent=2))
    else:
        for line in _header(report):
            print(line)
        rows = [
            [item["name"], *(str(item[key]) for key in ("images", "train", "validation"))] for item in report["classes"]
        ]
        print_table(["class", "images", "train", "validation"], rows, left=frozenset({"class"}))
        for line in _findings(report):
            print(line)
    if not report["loadable"]:
        raise CommandError("a study cannot use this data set: mend what is named above")


def _report(spec: str) -> dict[str, Any]:
    """Workers read images, in a process of their own: the command line itself needs none of their packages."""
    command = [sys.executable, "-m", "workers.data"]
    done = subprocess.run(command, input=spec, text=True, capture_output=True, check=False)
    if done.returncode:
        raise CommandError(done.stderr.strip() or f"{' '.join(command)} ended with {done.returncode}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _header(report: dict[str, Any]) -> Iterator[str]:
    images = sum(item["images"] for item in report["classes"])
    imbalance = f", the largest {report['imbalance']:.1f} times the smallest" if report["imbalance"] else ""
    yield f"{images} usable images of {report['photos']} photos in {len(report['classes'])} classes{imbalance}"
    if report["width_px"]:
        width, height = report["width_px"], report["height_px"]
        yield (
            f"width {width['smallest']} to {width['largest']} px (median {width['median']:g}), "
            f"height {height['smallest']} to {height['largest']} px (median {height['median']:g})"
        )
        yield ", ".join(f"{count} {kind}" for kind, count in sorted(report["kinds"].items(), key=lambda item: -item[1]))


def _findings(report: dict[str, Any]) -> Iterator[str]:
    if boxes := report["boxes"]:
        dropped = "".join(f", {count} {why}" for why, count in boxes["dropped"].items())
        yield f"boxes: {boxes['total']}, {boxes['clipped']} clipped to their image{dropped}"
    yield from _listed("cannot be used", [f"{item['name']}: {item['reason']}" for item in report["skipped"]])
    yield from _listed("photos of the same bytes", [" = ".join(names) for names in report["duplicates"]])
    yield from _listed("one picture in several classes", [" = ".join(names) for names in report["conflicts"]])
    yield from _listed("in training and in validation", list(report["leaks"]))
    yield from (f"problem: {problem}" for problem in report["problems"])
    yield f"data set {report['id'][:16]}: " + ("no problem found" if report["ok"] else "see the problems above")


def _listed(title: str, names: list[str]) -> Iterator[str]:
    if names:
        yield f"{title}: {len(names)}"
        yield from (f"  {name}" for name in names[:_MOST_NAMED])
        if len(names) > _MOST_NAMED:
            yield f"  and {len(names) - _MOST_NAMED} more; --format json names all"
