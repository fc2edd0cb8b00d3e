"""The commands by name, each imported when it is called: the help of ``seedleaf`` need not wait for all of them."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer.main
from typer.core import TyperGroup

#: What each does, as it says itself, in the order of the help.
SUMMARIES = {
    "up": "Start PostgreSQL, Ray, the API, the page and the compression pool on this machine.",
    "quickstart": "Search, compress and time models for scikit-learn's digits, and show the leaderboard.",
    "doctor": "Look for what a server and its workers need on this machine; exit code 1 if something is wrong.",
    "study": "Create studies and look after them.",
    "leaderboard": "Show a study's trials, best first, each with its best variant.",
    "train": "Train a trial's candidate in full, on all the data; it survives kill -9 and goes on from its last epoch.",
    "compress": "Queue one more compression recipe for a trial.",
    "recipes": "List the recipes that a study applies by default, and those to ask for by name: seedleaf compress.",
    "fetch": "Download a model with a program that uses it and a model card, whole or not at all.",
    "infer": "Predict every image, one at a time, and tell the submit time and its share of pure inference.",
    "bench": "Time models at batch 1, interleaved, and tell which are faster and which tie.",
    "dataset": "Look at a data set.",
    "model": "Look at a network.",
    "gc": "Let go of the weights and finer curves of beaten trials of ended studies, and of files that nothing names.",
    "key": "Make, list and revoke the API keys of this machine's server.",
}
_FILES = {"up": "serve"}


class SeedleafGroup(TyperGroup):
    """The command ``seedleaf``: its help is made from the summaries, and a command is loaded when it is looked up."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands()  # type: ignore[assignment]  # nothing is added to it

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


class _Commands(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        if name not in SUMMARIES:
            raise KeyError(name)
        return _loaded(name)

    def __iter__(self) -> Iterator[str]:
        return iter(SUMMARIES)

    def __len__(self) -> int:
        return len(SUMMARIES)


@cache
def _loaded(name: str) -> Any:
    """The function that is called like the command, or the group that its file has as ``app``."""
    module = import_module(f"api.cli.{_FILES.get(name, name)}")
    parent = typer.Typer(rich_markup_mode=None)
    if hasattr(module, "app"):
        parent.add_typer(module.app, name=name)
    else:
        parent.command(name)(getattr(module, name))
    return typer.main.get_group(parent).commands[name]
