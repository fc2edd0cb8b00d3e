"""What the listings of trials and of variants are asked with."""

from typing import Annotated, Literal

from fastapi import Query

Order = Literal["asc", "desc"]
Limit = Annotated[int, Query(ge=1, le=500)]
Where = Annotated[
    list[str],
    Query(
        max_length=20, description="a metric at least or at most a number, as f1>=0.8; rows match all that are given"
    ),
]
