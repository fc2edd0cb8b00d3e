"""Choosers for the tests of architecture spaces: one that draws by chance, and one that goes through every way."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from search.spaces.chooser import Chooser

T = TypeVar("T")


class Chance:
    """A Chooser that draws uniformly; notes what it drew, and rejects a name that is drawn twice."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.values: dict[str, Any] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._note(name, list(choices))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> Any:
        return self._note(name, range(low, high + 1, step))

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False) -> Any:
        if step is None:
            return self._note(name, [self._random.uniform(low, high)])
        return self._note(name, [low + number * step for number in range(round((high - low) / step) + 1)])

    def _note(self, name: str, options: Sequence[Any]) -> Any:
        assert name not in self.values, f"{name} is drawn twice"
        self.values[name] = self._pick(options)
        return self.values[name]

    def _pick(self, options: Sequence[Any]) -> Any:
        return self._random.choice(options)


class _Path(Chance):
    """Follows a path of choices by their numbers, then takes the first of each; notes how many there were."""

    def __init__(self, path: Sequence[int]) -> None:
        super().__init__(0)
        self._path = path
        self.taken: list[tuple[int, int]] = []

    def _pick(self, options: Sequence[Any]) -> Any:
        depth = len(self.taken)
        number = self._path[depth] if depth < len(self._path) else 0
        self.taken.append((number, len(options)))
        return options[number]


def every_way(draw: Callable[[Chooser], T]) -> Iterator[tuple[dict[str, Any], T]]:
    """Each assignment that ``draw`` can ask for, with what it makes of it. A continuous range gives one value."""
    path: list[int] | None = []
    while path is not None:
        chooser = _Path(path)
        yield chooser.values, draw(chooser)
        taken = chooser.taken
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        path = [*(number for number, _ in taken[:-1]), taken[-1][0] + 1] if taken else None
