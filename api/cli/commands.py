"""The commands by name. Each is imported when it is called, so that ``seedleaf --help`` is quick."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer.main
from typer.core import TyperGroup

#: The first line of each command's own help, in the order of the overall help.
SUMMARIES = {
    "up": "Start PostgreSQL, Ray, the API, the page and the compression pool on this machine.",
    "quickstart": "Search, compress and time models for handwritten digits, and show the leaderboard.",
    "doctor": "Check whether this machine has what a server and its workers need; exit code 1 if something is wrong.",
    "study": "Create and manage studies.",
    "leaderboard": "Show a study's trials, best first, each with its best variant.",
    "train": "Train a trial's candidate in full, on all the data; after kill -9 it resumes from its last epoch.",
    "compress": "Queue one more compression recipe for a trial.",
    "recipes": "List the recipes that a study applies by default, and those for seedleaf compress only.",
    "fetch": "Download a model with a program that predicts with it and a model card.",
    "infer": "Predict every image, one at a time, and show the submit time and how much of it is pure inference.",
    "bench": "Time models at batch 1, interleaved, and show which are faster and which tie.",
    "dataset": "Check and augment a data set.",
    "model": "Show a network's layers and costs.",
    "weights": "List, add and download pretrained weights.",
    "gc": "Delete weights and detailed curves of dominated trials of ended studies, and unreferenced files.",
    "key": "Create, list and revoke the API keys of this machine's server.",
}
_FILES = {"up": "serve"}


class SeedleafGroup(TyperGroup):
    """The command ``seedleaf``: its help lists the summaries, and a command is imported when it is looked up."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands()  # type: ignore[assignment]  # a read-only mapping is enough

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


class _Commands(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        if name not in SUMMARIES:
            raise KeyError(name)
        return _load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(SUMMARIES)

    def __len__(self) -> int:
        return len(SUMMARIES)


@cache
def _load(name: str) -> Any:
    """The command: the function of its name in its file, or the group ``app`` there."""
    module = import_module(f"api.cli.{_FILES.get(name, name)}")
    parent = typer.Typer(rich_markup_mode=None)
    if hasattr(module, "app"):
        parent.add_typer(module.app, name=name)
    else:
        parent.command(name)(getattr(module, name))
    return typer.main.get_group(parent).commands[name]
