"""Stored documents, read as history: today's limits never refuse what an earlier version accepted.

What is stored was valid when it was stored. A later version may tighten a limit, drop a name or add a field; a listing
must still show the document as it was written.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import SchemaValidator, core_schema

M = TypeVar("M", bound=BaseModel)

_LIMITS = frozenset({"ge", "gt", "le", "lt", "max_length", "min_length", "pattern", "multiple_of", "allow_inf_nan"})
_CHECKS = frozenset({"function-after", "function-before", "function-wrap"})
_UNTOUCHED = frozenset({"metadata", "serialization", "config", "function", "cls", "default"})


def read_stored(kind: type[M], document: Mapping[str, object]) -> M:
    """The document as ``kind``.

    One that ``kind`` refuses today is read without limits: a value that does not fit its field stays as it was
    written, an unknown key is left out, and what is missing is None.
    """
    try:
        return kind.model_validate(document)
    except ValidationError:
        return cast(M, _without_limits(kind).validate_python(document))


def as_history(kind: type[M]) -> WrapValidator:
    """``Annotated[Kind, as_history(Kind)]``: a field that shows a stored document, as ``read_stored`` reads it."""

    def read(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            if not isinstance(value, Mapping):
                raise
            return read_stored(kind, value)

    return WrapValidator(read)


@cache
def _without_limits(kind: type[BaseModel]) -> SchemaValidator:
    return SchemaValidator(cast(core_schema.CoreSchema, _relaxed(TypeAdapter(kind).core_schema)))


def _relaxed(part: Any) -> Any:
    """The core schema without limits; https://docs.pydantic.dev/latest/api/pydantic_core_schema says what is in one."""
    if isinstance(part, list | tuple):
        return type(part)(_relaxed(item) for item in part)
    if not isinstance(part, dict):
        return part
    relaxed = {
        key: value if key in _UNTOUCHED else _relaxed(value) for key, value in part.items() if key not in _LIMITS
    }
    if part.get("type") == "model":
        # Pydantic would take the class's own validator for a model, with its limits.
        return core_schema.no_info_after_validator_function(
            _constructor(part["cls"]), relaxed["schema"], ref=part.get("ref")
        )
    if part.get("type") == "model-fields":
        relaxed["extra_behavior"] = "ignore"
    elif part.get("type") == "model-field":
        relaxed["schema"] = _as_written(relaxed["schema"])
    elif part.get("type") in _CHECKS and part["function"]["type"] == "no-info":
        relaxed["function"] = {**part["function"], "function": _lenient(part["function"]["function"])}
    return relaxed


def _constructor(kind: type[BaseModel]) -> Callable[[Any], BaseModel]:
    def construct(validated: tuple[dict[str, Any], dict[str, Any] | None, set[str]]) -> BaseModel:
        values, _, given = validated
        return kind.model_construct(given, **values)

    return construct


def _as_written(field: Any) -> Any:
    """A field that keeps what it cannot read, and is None where it is missing and has no default."""

    def keep(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            return value

    if field["type"] == "default":
        return {**field, "schema": core_schema.no_info_wrap_validator_function(keep, field["schema"])}
    return core_schema.with_default_schema(core_schema.no_info_wrap_validator_function(keep, field), default=None)


def _lenient(check: Callable[..., Any]) -> Callable[..., Any]:
    """The validator, which hands on what it would refuse."""

    def checked(value: Any, *handler: Any) -> Any:
        try:
            return check(value, *handler)
        except (ValueError, TypeError, LookupError, AttributeError):
            return handler[0](value) if handler else value

    return checked
