"""What every part of the API answers with: lists, problems, and what was queued."""

from typing import Generic, TypeVar

from pydantic import BaseModel

from search.contract.states import JobState

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A list; ``next`` is the cursor of what follows, or null."""

    items: list[T]
    next: str | None


class Queued(BaseModel):
    id: str
    state: JobState


class Problem(BaseModel):
    """RFC 9457 problem details; ``errors`` names each field that is wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []
