"""Tabulated networks: what each costs, and what several trainings of it reached.

A table is JSON: ``{code: {"test_accuracy_pct": [of each training], "params": n, "flops": n}}``, every code a string of
one digit a layer, as in NAS-Bench-Macro (https://arxiv.org/abs/2103.11922).
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from search.pareto import front, hypervolume
from search.samplers.frontier import Description
from search.spaces.chooser import Chooser

Floats = NDArray[np.float64]
DIRECTIONS: tuple[Literal["maximize", "minimize"], ...] = ("maximize", "minimize", "minimize")


class Table:
    """Objectives are accuracy, FLOPs and params. ``lowest_accuracy_pct`` bounds the hypervolume."""

    def __init__(self, path: Path, *, lowest_accuracy_pct: float) -> None:
        self._rows = json.loads(path.read_text())
        self._choices = [sorted(set(digits)) for digits in zip(*self._rows, strict=True)]
        self._lowest_accuracy_pct = lowest_accuracy_pct

    def code(self, chooser: Chooser) -> str:
        """A network's code, each layer asked of the chooser."""
        layers = enumerate(self._choices, start=1)
        return "".join(chooser.suggest_categorical(f"layer{number}", digits) for number, digits in layers)

    def describe(self, chooser: Chooser) -> Description:
        row = self._rows.get(self.code(chooser))
        if row is None:
            return Description(possible=False)
        return Description(objectives={1: row["flops"], 2: row["params"]})

    def train(self, code: str, rng: np.random.Generator) -> list[float]:
        """The objectives of one training of a network, by chance one of those in the table."""
        row = self._rows[code]
        return [float(rng.choice(row["test_accuracy_pct"])), row["flops"], row["params"]]

    def share(self, codes: list[str]) -> float:
        """The part of the true front's hypervolume that networks reach, on their mean accuracy.

        Accuracy is scaled from the lowest that counts to the best, FLOPs and params to the table's range.
        """
        return hypervolume(np.asarray([self._losses[code] for code in codes]), np.ones(3)) / self._whole

    @cached_property
    def _losses(self) -> dict[str, Floats]:
        accuracy = np.asarray([np.mean(row["test_accuracy_pct"]) for row in self._rows.values()])
        costs = np.asarray([(row["flops"], row["params"]) for row in self._rows.values()], dtype=np.float64)
        shortfall = (accuracy.max() - accuracy) / (accuracy.max() - self._lowest_accuracy_pct)
        scaled = (costs - costs.min(axis=0)) / np.ptp(costs, axis=0)
        return dict(zip(self._rows, np.column_stack([shortfall, scaled]), strict=True))

    @cached_property
    def _whole(self) -> float:
        losses = np.asarray(list(self._losses.values()))
        return hypervolume(losses[front(losses)], np.ones(3))
