"""The type of a field of the public spec that accepts the names of a registry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, eq=False)
class NameIn:
    """``Annotated[str, NameIn(registry)]``: one of the names, as ``Literal`` would be."""

    registry: Mapping[str, object]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.registry))


def described(registry: Mapping[str, str]) -> str:
    """What a registry says of its names, for the description of a field."""
    return "; ".join(f"{name}: {text}" for name, text in registry.items())
