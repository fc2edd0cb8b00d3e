"""From points to rows of numbers, for spaces whose points have different choices.

A number lies between 0 and 1 in its range, a word is a column a choice; what was described beside the choices (the
logarithm of a positive cost, the features) follows. A choice that a point does not have is unknown there: NaN, which
Scale makes the mean.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.samplers.frontier.points import Point
from search.spaces.distributions import to_unit

Floats = NDArray[np.float64]
Row = tuple[NDArray[np.intp], Floats]


class Encoder:
    """Gives every column a place when it is first seen, so that rows of earlier points stay valid.

    A name with a dot (``stage3.width``) tells of a part of the point, any other of the point as a whole.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def row(self, point: Point) -> Row:
        """The columns that a point has, and its values there."""
        columns = dict(_columns(point))
        places = [self._places.setdefault(name, len(self._places)) for name in columns]
        return np.asarray(places, dtype=np.intp), np.asarray(list(columns.values()), dtype=np.float64)

    def with_column(self, row: Row, name: str, value: float) -> Row:
        places, values = row
        return np.append(places, self._places.setdefault(name, len(self._places))), np.append(values, value)

    def parts(self, scale: "Scale") -> tuple[NDArray[np.intp], ...]:
        """What a kernel's parts look at among the columns that ``scale`` uses: the few that tell of points as a whole,
        where there are such and others, and all.
        """
        is_of_a_part = np.asarray(["." in name.partition("=")[0] for name in self._places], dtype=bool)[scale.used]
        whole, every = np.flatnonzero(~is_of_a_part), np.arange(len(scale.used))
        return (whole, every) if 0 < len(whole) < len(every) else (every,)

    def matrix(self, rows: Sequence[Row]) -> Floats:
        """The rows under each other, [n, columns], NaN where a point lacks a column."""
        matrix = np.full((len(rows), len(self._places)), np.nan)
        for number, (places, values) in enumerate(rows):
            matrix[number, places] = values
        return matrix


class Scale:
    """Takes the columns of ``matrix`` [n, columns] to mean 0 and variance 1; what never differs there is left out."""

    def __init__(self, matrix: Floats) -> None:
        known = ~np.isnan(matrix)
        count = np.maximum(known.sum(axis=0), 1)
        self._mean = np.where(known, matrix, 0.0).sum(axis=0) / count
        deviation = np.sqrt((np.where(known, matrix - self._mean, 0.0) ** 2).mean(axis=0))
        self.used = np.flatnonzero(deviation > 1e-9)
        self._deviation = deviation[self.used]

    def __call__(self, matrix: Floats) -> Floats:
        """Rows with the same columns, or with more of them; what is unknown is at the mean."""
        centred = matrix[:, self.used] - self._mean[self.used]
        return np.asarray(np.where(np.isnan(centred), 0.0, centred) / self._deviation)


def _columns(point: Point) -> Iterator[tuple[str, float]]:
    for name, value in point.params.items():
        yield from _choice(name, point.distributions[name], value)
    for index, cost in point.known.objectives.items():
        yield f"objective {index}", math.log(cost) if cost > 0 else cost
    for name, value in point.known.features.items():
        yield f"feature {name}", value


def _choice(name: str, distribution: BaseDistribution, value: Any) -> Sequence[tuple[str, float]]:
    if not isinstance(distribution, CategoricalDistribution):
        return [(name, to_unit(distribution, value))]
    return _word(name, distribution.choices, value)


# The same few words are asked for again and again. They are kept by type too: True equals 1.
@lru_cache(maxsize=100_000, typed=True)
def _word(name: str, choices: tuple[Any, ...], value: Any) -> tuple[tuple[str, float], ...]:
    columns = []
    are_numbers = all(isinstance(choice, int | float) for choice in choices)
    if are_numbers:
        rank = sorted(float(choice) for choice in choices).index(float(value))
        columns.append((name, rank / max(len(choices) - 1, 1)))
    if len(choices) > 2 or not are_numbers:
        columns += [(f"{name}={choice!r}", float(choice == value)) for choice in choices]
    return tuple(columns)
