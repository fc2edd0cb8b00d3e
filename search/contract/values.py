"""How a value of the space is written in a spec: one value, a list of choices, or a range."""

from collections import Counter
from typing import Annotated, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

T = TypeVar("T")
#: PostgreSQL holds any text but the character NUL, and no path has one.
NO_NUL = r"^[^\x00]*$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]


def _as_choices(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def one_or_more(values: tuple[T, ...]) -> tuple[T, ...]:
    if not values:
        raise ValueError("an empty list: name at least one value")
    repeated = sorted({str(value) for value, times in Counter(values).items() if times > 1})
    if repeated:
        raise ValueError(f"a choice is listed twice: {', '.join(repeated)}")
    return values


def choices_schema(item: dict[str, object]) -> WithJsonSchema:
    """JSON Schema of a value or a list of values."""
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


def choices_of(literal: object) -> tuple[object, ...]:
    """What makes a tuple of a Literal's words out of one word or a list of them."""
    schema = choices_schema({"enum": list(get_args(literal))})
    return (AfterValidator(one_or_more), BeforeValidator(_as_choices), schema)


Sides = Annotated[
    tuple[Annotated[int, Field(ge=8, le=1024)], ...],
    AfterValidator(one_or_more),
    BeforeValidator(_as_choices),
    choices_schema({"type": "integer", "minimum": 8, "maximum": 1024}),
]
BatchSizes = Annotated[
    tuple[Annotated[int, Field(ge=1, le=65536)], ...],
    AfterValidator(one_or_more),
    BeforeValidator(_as_choices),
    choices_schema({"type": "integer", "minimum": 1, "maximum": 65536}),
]
EpochCounts = Annotated[
    tuple[Annotated[int, Field(ge=1, le=10_000)], ...],
    AfterValidator(one_or_more),
    BeforeValidator(_as_choices),
    choices_schema({"type": "integer", "minimum": 1, "maximum": 10_000}),
]
CopyCounts = Annotated[
    tuple[Annotated[int, Field(ge=0, le=2)], ...],
    AfterValidator(one_or_more),
    BeforeValidator(_as_choices),
    choices_schema({"type": "integer", "minimum": 0, "maximum": 2}),
]


EmaDecays = Annotated[
    tuple[Annotated[float, Field(ge=0, lt=1)], ...],
    AfterValidator(one_or_more),
    BeforeValidator(_as_choices),
    choices_schema({"type": "number", "minimum": 0, "exclusiveMaximum": 1}),
]


#: Fractions from 0 to 1, both included.
Fractions = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1)], ...],
    AfterValidator(one_or_more),
    BeforeValidator(_as_choices),
    choices_schema({"type": "number", "minimum": 0, "maximum": 1}),
]


class Range(BaseModel):
    """Real values from ``low`` to ``high``, both included; a single number is a range of that number only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    low: float = Field(description="the lowest value")
    high: float = Field(description="the highest value")
    log: bool = Field(default=False, description="draw evenly by the logarithm; low must be above 0 then")

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: object) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"low": value, "high": value}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log range starts above 0, got low {self.low}")
        return self

    def within(self, low: float, high: float) -> "Range":
        """This range, or ValueError if it leaves [low, high]."""
        if self.low < low or self.high > high:
            raise ValueError(f"must lie within {low} to {high}, got {self.low} to {self.high}")
        return self
