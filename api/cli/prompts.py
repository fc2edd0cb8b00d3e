"""Prompts that write a study's file, for users who have a folder of images and no file yet."""

import json
import re
import sys
from pathlib import Path

import typer

from api.cli.errors import CommandError

_IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_LARGEST_SIDE_PX = 1024


def file_from_terminal() -> Path:
    """Ask at the terminal and write a study's file. CommandError without a terminal."""
    if not sys.stdin.isatty():
        raise CommandError("name the study's file: there is no terminal to ask for its contents")
    return ask_and_write()


def ask_and_write() -> Path:
    """Ask, and write the answers as a study's file into the current directory. Returns its path."""
    folder = _folder()
    path = _new_file(folder)
    pretrained = typer.confirm("Start from networks that were trained on ImageNet's photos", default=True, err=True)
    text = _fine_tuning(path.stem, folder) if pretrained else _training_afresh(path.stem, folder)
    path.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {path}; all fields of a study: seedleaf study schema", err=True)
    return path


def _folder() -> Path:
    folder: Path = typer.prompt("Folder of images, with a folder for each class", value_proc=_readable_folder, err=True)
    counts = {
        entry.name: sum(file.suffix.lower() in _IMAGE_SUFFIXES for file in entry.iterdir())
        for entry in sorted(folder.iterdir())
        if entry.is_dir()
    }
    typer.echo(f"found {', '.join(f'{count} {name}' for name, count in counts.items())}", err=True)
    return folder


def _readable_folder(answer: str) -> Path:
    folder = Path(answer).expanduser()
    if not folder.is_dir():
        raise typer.BadParameter(f"{answer} is no folder")
    if sum(entry.is_dir() for entry in folder.iterdir()) < 2:
        raise typer.BadParameter(f"{answer} has fewer than two folders in it: each class needs one")
    return folder


def _new_file(folder: Path) -> Path:
    suggested = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "study"
    path: Path = typer.prompt("Name of the study", default=suggested, value_proc=_free_name, err=True)
    return path


def _free_name(answer: str) -> Path:
    path = Path(f"{answer}.yaml")
    if not re.fullmatch(r"[\w.-]{1,80}", answer):
        raise typer.BadParameter("use letters, digits, dots and hyphens: it becomes the file's name too")
    if path.exists():
        raise typer.BadParameter(f"{path} exists already: choose another name")
    return path


def _sides(answer: str) -> list[int]:
    sides_px = [int(part) for part in re.split(r"[,\s]+", answer.strip()) if part.isdecimal()]
    if not sides_px or not all(8 <= side_px <= _LARGEST_SIDE_PX for side_px in sides_px):
        raise typer.BadParameter(f"name one or more numbers from 8 to {_LARGEST_SIDE_PX}, such as 64, 96")
    return sides_px


def _count(answer: object) -> int:
    text = str(answer).replace("_", "").replace(",", "")
    if not text.isdecimal() or int(text) == 0:
        raise typer.BadParameter("a whole number above 0")
    return int(text)


def _minutes() -> int:
    minutes: int = typer.prompt("Minutes to search at most", default=30, value_proc=_count, err=True)
    return minutes


def _head(name: str, folder: Path) -> str:
    path = json.dumps(str(folder.absolute()), ensure_ascii=False)
    return f"name: {json.dumps(name)}\ndataset: {{source: folder, path: {path}}}\n"


def _fine_tuning(name: str, folder: Path) -> str:
    """A study of pretrained networks, whose defaults are made for it."""
    return f"""\
{_head(name, folder)}space:
  architecture: pretrained              # [pretrained, blocks-small] tries networks with fresh weights too
budget: {{max_minutes: {_minutes()}}}
"""


def _training_afresh(name: str, folder: Path) -> str:
    """A study of networks with fresh weights."""
    sides_px = typer.prompt("Sides of the images in pixels", default="64, 96", value_proc=_sides, err=True)
    trials = typer.prompt("Networks to try", default=20, value_proc=_count, err=True)
    minutes = _minutes()
    params = typer.prompt("Parameters of a network at most", default=500_000, value_proc=_count, err=True)
    return f"""\
{_head(name, folder)}space:
  architecture: blocks-small
  image_size: {sides_px}                # a list is a choice that the search makes
  batch_size: [32, 64]
  learning_rate: {{low: 0.02, high: 0.3, log: true}}
objectives:
  - {{metric: f1, goal: maximize}}
  - {{metric: latency_ms, goal: minimize}}
constraints:
  - {{metric: params, max: {params}}}   # checked before training: larger networks cost no epochs
budget: {{max_trials: {trials}, epochs: 8, max_minutes: {minutes}}}
"""
