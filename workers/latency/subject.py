"""Subject: something that can be timed."""

from collections.abc import Callable
from dataclasses import dataclass

Run = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """``open(threads)`` opens a fresh session and returns a function that runs one inference at batch 1."""

    key: str
    open: Callable[[int], Run]
