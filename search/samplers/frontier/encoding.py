"""Encodes points as rows of numbers, for spaces whose points have different parameters.

A number becomes its position in its range, from 0 to 1. A word becomes one column per choice. The columns of the
description follow: the logarithm of each positive cost, and the features. A parameter that a point does not have is
NaN in its row; Standardizer replaces it with the mean.

Notation: n points; the columns of a matrix are those that the encoder has met so far, d of them vary.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.contract.trials import ParameterValue
from search.samplers.distributions import to_unit
from search.samplers.frontier.arrays import Floats, Indices
from search.samplers.frontier.points import Description, Point


class SparseRow(NamedTuple):
    """The indices of the columns that a point has, and its values there."""

    columns: Indices
    values: Floats


@dataclass(frozen=True, kw_only=True)
class EncodedPoint:
    point: Point
    row: SparseRow

    @property
    def description(self) -> Description:
        return self.point.description


class Encoder:
    """Gives every column an index when it is first met, so that the rows of earlier points stay valid.

    A name with a dot (``stage3.width``) describes a part of the point, any other the point as a whole. The dot after
    the name of a family does not count.
    """

    def __init__(self) -> None:
        self._indices: dict[str, int] = {}

    def row(self, point: Point) -> SparseRow:
        columns = dict(_columns(point))
        indices = [self._index(name) for name in columns]
        return SparseRow(np.asarray(indices, dtype=np.intp), np.asarray(list(columns.values()), dtype=np.float64))

    def with_column(self, row: SparseRow, name: str, value: float) -> SparseRow:
        return SparseRow(np.append(row.columns, self._index(name)), np.append(row.values, value))

    def matrix(self, rows: Sequence[SparseRow]) -> Floats:
        """The rows as a matrix [n, columns], NaN where a point lacks a column."""
        matrix = np.full((len(rows), len(self._indices)), np.nan)
        for index, (columns, values) in enumerate(rows):
            matrix[index, columns] = values
        return matrix

    def column_groups(self, standardizer: "Standardizer") -> tuple[Indices, ...]:
        """The features for each component of a kernel: those that describe points as a whole, and all of them.

        There is one group where all features are of one kind.
        """
        names = [name.partition("=")[0] for name in self._indices]
        is_of_a_part = np.asarray(["." in name for name in names], dtype=bool)[standardizer.used]
        whole, every = np.flatnonzero(~is_of_a_part), np.arange(len(standardizer.used))
        return (whole, every) if 0 < len(whole) < len(every) else (every,)

    def _index(self, name: str) -> int:
        return self._indices.setdefault(name, len(self._indices))


class Standardizer:
    """Scales the columns of ``matrix`` [n, columns] to mean 0 and variance 1, and leaves out those that never vary."""

    def __init__(self, matrix: Floats) -> None:
        present = ~np.isnan(matrix)
        count = np.maximum(present.sum(axis=0), 1)
        self._mean = np.where(present, matrix, 0.0).sum(axis=0) / count
        std = np.sqrt((np.where(present, matrix - self._mean, 0.0) ** 2).mean(axis=0))
        self.used = np.flatnonzero(std > 1e-9)
        self._std = std[self.used]

    def __call__(self, matrix: Floats) -> Floats:
        """The features [n, d] of rows with the same columns or more; NaN becomes the mean, 0."""
        centred = matrix[:, self.used] - self._mean[self.used]
        return np.asarray(np.where(np.isnan(centred), 0.0, centred) / self._std)


def _columns(point: Point) -> Iterator[tuple[str, float]]:
    family = f"{point.family}."
    for name, value in point.params.items():
        # Parameters of a family describe its points as a whole, like those of a space that is the only one.
        told = f"{point.family}/{name.removeprefix(family)}" if name.startswith(family) else name
        yield from _parameter(told, point.distributions[name], value)
    for index, cost in point.description.objectives.items():
        yield f"objective {index}", math.log(cost) if cost > 0 else cost
    for name, feature in point.description.features.items():
        yield f"feature {name}", feature


def _parameter(name: str, distribution: BaseDistribution, value: ParameterValue) -> Sequence[tuple[str, float]]:
    if not isinstance(distribution, CategoricalDistribution):
        return [(name, to_unit(distribution, value))]
    return _category(name, distribution.choices, value)


# The same few choices are encoded again and again. The cache tells types apart, since True equals 1.
@lru_cache(maxsize=100_000, typed=True)
def _category(name: str, choices: tuple[ParameterValue, ...], value: ParameterValue) -> tuple[tuple[str, float], ...]:
    columns = []
    numbers = [float(choice) for choice in choices if isinstance(choice, int | float)]
    are_numbers = len(numbers) == len(choices)
    if are_numbers:
        assert isinstance(value, int | float)
        columns.append((name, sorted(numbers).index(float(value)) / max(len(choices) - 1, 1)))
    if len(choices) > 2 or not are_numbers:
        columns += [(f"{name}={choice!r}", float(choice == value)) for choice in choices]
    return tuple(columns)
