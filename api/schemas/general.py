"""Schemas that every part of the API uses: lists, errors and queued jobs."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from search.contract.states import JobState

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T] = Field(description="The items of this page, in the order of the list.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class Queued(BaseModel):
    """A job that was queued."""

    id: str = Field(description="The job's id.")
    state: JobState = Field(description="The job's state.")


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(default="about:blank", description="Always `about:blank`: the status says what kind it is.")
    title: str = Field(description="The kind of problem, the same for every problem of this status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong, and what to do about it.")
    errors: list[dict[str, str]] = Field(
        default=[], description="Every invalid field, as `field` (its path) and `message`; empty for other problems."
    )
