"""Pages of listings, and cursors: where a page ended, opaque to clients and checked when they come back."""

import base64
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.errors import RejectedError
from services.store.pages import SortValue

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """Part of a listing; ``next`` is the cursor of the part after it, None at the end."""

    items: Sequence[T]
    next: str | None


def cut(records: Sequence[T], limit: int, cursor_after: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """The first ``limit`` records, and the cursor after the last of them if there are more."""
    if len(records) <= limit:
        return records, None
    return records[:limit], cursor_after(records[limit - 1])


def encode_id(row_id: str) -> str:
    """The cursor of a listing by id."""
    return _encode([row_id])


def decode_id(cursor: str) -> str:
    """RejectedError if no listing by id gave this cursor."""
    match _decode(cursor):
        case [str(row_id)] if _is_id(row_id):
            return row_id
    raise _refusal()


def encode_position(value: SortValue, row_id: str) -> str:
    """The cursor of a listing by a metric, and by id where that is equal."""
    return _encode([value, row_id])


def decode_position(cursor: str) -> tuple[SortValue, str]:
    """RejectedError if no listing by a metric gave this cursor."""
    match _decode(cursor):
        case [(int() | float() | None) as value, str(row_id)] if _is_id(row_id) and _is_value(value):
            return value, row_id
    raise _refusal()


def _encode(parts: list[object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _decode(cursor: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        return None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_value(value: SortValue) -> bool:
    """Whether it is what a column can hold."""
    if value is None or isinstance(value, float):
        return value is None or math.isfinite(value)
    return not isinstance(value, bool) and abs(value) < 2**63


def _refusal() -> RejectedError:
    return RejectedError("cursor", "is not one that this listing gave: start again without it")
