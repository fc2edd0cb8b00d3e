"""JSON columns that pass through as they were stored."""

from collections.abc import Mapping

JsonObject = Mapping[str, object]
