"""Filters of a listing: metrics that are at least or at most a number, as ``f1>=0.8`` and ``params<=100000``."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, literal

from services.errors import RejectedError

_FILTER = re.compile(r"\s*(?P<metric>\w+)\s*(?P<relation>>=|<=)\s*(?P<number>\S+)\s*")
_MAX_WHOLE = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A metric's least value, or its greatest, in the metric's unit."""

    metric: str
    is_least: bool
    number: float


def read_bounds(filters: Sequence[str], metrics: Sequence[str]) -> list[Bound]:
    """RejectedError for what is no filter by one of the ``metrics``."""
    return [_read(text, metrics) for text in filters]


def bound_condition(bound: Bound, column: ColumnElement[float]) -> ColumnElement[bool]:
    """The condition on the metric's ``column``; it does not hold for what was not measured."""
    number = _whole_number(bound) if isinstance(column.type, BigInteger) else bound.number
    limit = literal(number, column.type)
    return column >= limit if bound.is_least else column <= limit


def _read(text: str, metrics: Sequence[str]) -> Bound:
    parts = _FILTER.fullmatch(text)
    if parts is None:
        raise RejectedError("where", f"{text!r} is no filter: give a metric, >= or <=, and a number, as f1>=0.8")
    metric, relation, number = parts.groups()
    if metric not in metrics:
        raise RejectedError("where", f"this listing has no {metric!r} to filter by; known: {', '.join(metrics)}")
    return Bound(metric=metric, is_least=relation == ">=", number=_finite(number, text))


def _finite(number: str, text: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RejectedError("where", f"{number!r} in {text!r} is no finite number")
    return value


def _whole_number(bound: Bound) -> int:
    """The same bound for whole numbers: one of their own type, so that PostgreSQL compares them by their index."""
    whole = math.ceil(bound.number) if bound.is_least else math.floor(bound.number)
    return max(-_MAX_WHOLE, min(whole, _MAX_WHOLE))
