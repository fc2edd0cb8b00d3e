"""Values: what one parameter of an architecture space may be."""

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from search.contract.values import NO_NUL, one_or_more

Text = Annotated[str, Field(max_length=500, pattern=NO_NUL)]
Scalar = bool | int | float | Text | None
_MOST_VALUES = 10_000


class Values(BaseModel):
    """Some ``choices``, or numbers from ``low`` to ``high``, both included.

    The short form is a single value, which is then fixed, or a list of choices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    choices: Annotated[tuple[Scalar, ...], Field(max_length=_MOST_VALUES)] | None = Field(
        default=None, description="the values to choose from; none means a range from low to high"
    )
    low: int | float | None = Field(default=None, description="the lowest number; none where choices are given")
    high: int | float | None = Field(default=None, description="the highest number; none where choices are given")
    step: int | float | None = Field(
        default=None, description="distance of neighbouring numbers; none means 1 for integers, continuous otherwise"
    )
    log: bool = Field(default=False, description="draw evenly by the logarithm; low must be above 0 then")

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: object) -> object:
        if isinstance(value, dict | Values):
            return value
        return {"choices": value if isinstance(value, list | tuple) else (value,)}

    @model_validator(mode="after")
    def _sound(self) -> "Values":
        numbers = (self.low, self.high, self.step)
        if self.choices is not None:
            if numbers != (None, None, None) or self.log:
                raise ValueError("give choices, or low and high, not both")
            one_or_more(self.choices)
        elif self.low is None or self.high is None:
            raise ValueError("give choices, or low and high")
        elif self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        elif self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("a log range starts above 0 and has no step")
        elif self.step is not None:
            self._check_step(self.low, self.high, self.step)
        return self

    def _check_step(self, low: float, high: float, step: float) -> None:
        if step <= 0:
            raise ValueError(f"step {step} is not above 0")
        steps = (high - low) / step
        if not math.isclose(steps, round(steps), abs_tol=1e-6):
            raise ValueError(f"steps of {step} do not lead from {low} to {high}")
        if steps >= _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES} values: take a larger step than {step}, or none")

    @model_serializer(mode="wrap")
    def _short_form(self, handler: SerializerFunctionWrapHandler) -> object:
        if self.choices is not None:
            return list(self.choices)
        return {name: value for name, value in handler(self).items() if value not in (None, False)}

    @property
    def whole(self) -> bool:
        """Whether it is a range of whole numbers."""
        return self.choices is None and not any(isinstance(part, float) for part in (self.low, self.high, self.step))

    @property
    def count(self) -> int | None:
        """How many values there are; None for a continuous range."""
        if self.choices is not None:
            return len(self.choices)
        assert self.low is not None
        assert self.high is not None
        if self.low == self.high:
            return 1
        step = self.step or (1 if self.whole else None)
        return None if step is None else round((self.high - self.low) / step) + 1

    def __contains__(self, value: object) -> bool:
        """Whether ``value`` may be drawn."""
        if self.choices is not None:
            return value in self.choices
        assert self.low is not None
        assert self.high is not None
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / (self.step or 1)
        return not (self.step or self.whole) or math.isclose(steps, round(steps), abs_tol=1e-6)

    def are_whole(self, least: int, most: int) -> bool:
        """Whether every value is a whole number from ``least`` to ``most``."""
        if self.choices is not None:
            return all(type(value) is int and least <= value <= most for value in self.choices)
        assert self.low is not None
        assert self.high is not None
        return self.whole and least <= self.low and self.high <= most
