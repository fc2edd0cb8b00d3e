"""What a line of the backbone gives to its block: how many arguments, of which types, and what they are called."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

Width = Annotated[int, Field(strict=True, ge=1, le=65536)]
Kernel = Annotated[int, Field(strict=True, ge=1, le=63)]
Stride = Annotated[int, Field(strict=True, ge=1, le=16)]
Padding = Annotated[int, Field(strict=True, ge=0, le=63)]
Groups = Annotated[int, Field(strict=True, ge=1, le=65536)]
Factor = Annotated[float, Field(strict=True, gt=0, le=64)]
#: Written as true and false or, as the competition did, 1 and 0.
Flag = bool

_REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One argument of a block: its name, its type, and its default or _REQUIRED."""

    name: str
    adapter: TypeAdapter[object]
    default: object


def parameters_of(build: Callable[..., object]) -> tuple[Parameter, ...]:
    """The parameters of a block's builder after the number of input channels."""
    hints = get_type_hints(build, include_extras=True)
    _, *parameters = inspect.signature(build).parameters.values()
    return tuple(
        Parameter(name=parameter.name, adapter=TypeAdapter(hints[parameter.name]), default=parameter.default)
        for parameter in parameters
    )


def checked(parameters: tuple[Parameter, ...], arguments: tuple[object, ...]) -> tuple[object, ...]:
    """All arguments, the defaults filled in. ValueError says which is missing, too much, or of a wrong type."""
    least = sum(parameter.default is _REQUIRED for parameter in parameters)
    if not least <= len(arguments) <= len(parameters):
        takes = f"{least}" if least == len(parameters) else f"{least} to {len(parameters)}"
        names = ", ".join(parameter.name for parameter in parameters)
        raise ValueError(f"takes {takes} arguments [{names}], got {len(arguments)}")
    given = [_of_its_type(parameter, value) for parameter, value in zip(parameters, arguments, strict=False)]
    return (*given, *(parameter.default for parameter in parameters[len(given) :]))


def _of_its_type(parameter: Parameter, value: object) -> object:
    try:
        return parameter.adapter.validate_python(value)
    except ValidationError as error:
        message = error.errors()[0]["msg"]
        if message.startswith("Value error, "):
            raise ValueError(message.replace("Value error,", f"{parameter.name}:", 1)) from error
        raise ValueError(f"{parameter.name}{message.removeprefix('Input')}, got {value!r}") from error
