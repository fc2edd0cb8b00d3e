"""Several architecture spaces in one study: choosing and drawing from one of them, and counting all networks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from search.contract.candidate import Architecture
from search.spaces.chooser import FAMILY, C, Chooser, choose
from search.spaces.draw import draw_architecture
from search.spaces.presets import Choice, families
from search.spaces.size import Work, space_sizes


def draw_network(choice: Choice | tuple[Choice, ...], chooser: Chooser, *, side_px: int, classes: int) -> Architecture:
    """Draw a network. With several spaces the parameter ``family`` is drawn first, and names the others begin with."""
    spaces = families(choice)
    family = choose(chooser, FAMILY, tuple(spaces))
    named = chooser if len(spaces) == 1 else _Named(chooser=chooser, family=family)
    return draw_architecture(spaces[family], named, side_px=side_px, classes=classes)


def count_networks(
    choice: Choice | tuple[Choice, ...], *, sides_px: Sequence[int], is_wanted: Callable[[], bool] = lambda: True
) -> int:
    """In how many ways a network can be drawn, over all sides of images; a continuous range counts as one value.

    UncountableError if that would take long; CountStoppedError once ``is_wanted`` says no.
    """
    work = Work(is_wanted=is_wanted)
    return sum(space_sizes(space, sides_px, work) for space in families(choice).values())


@dataclass(frozen=True, kw_only=True)
class _Named:
    """A Chooser whose parameters begin with the family's name: families may call different parameters alike."""

    chooser: Chooser
    family: str

    def suggest_categorical(self, name: str, choices: Sequence[C]) -> C:
        return self.chooser.suggest_categorical(f"{self.family}.{name}", choices)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return self.chooser.suggest_int(f"{self.family}.{name}", low, high, step=step, log=log)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return self.chooser.suggest_float(f"{self.family}.{name}", low, high, step=step, log=log)
