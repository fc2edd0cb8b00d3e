"""The OpenAPI document without a running server. ``python -m api.server.openapi`` prints the shapes in it as JSON.

The page's types are made from these shapes: they change when a shape changes, not when a description does.
"""

import json
from collections.abc import Mapping
from typing import Any

from api.server.app import create_app
from services.settings import Settings

_PROSE = ("description", "summary", "title", "examples")
#: The keys below these are names of fields and shapes: one of them may be "title".
_NAMED = ("properties", "schemas")


def openapi_document() -> dict[str, Any]:
    """The document that a server answers with at /openapi.json; no database and no Ray is asked."""
    nowhere = {"database_url": "postgresql://nobody@localhost/none", "ray_address": "http://localhost:9"}
    settings = Settings.model_validate(nowhere)
    return create_app(settings, host="127.0.0.1").openapi()


def shapes(node: object, *, parent: str = "") -> object:
    """A copy of a part of the document, found at the key ``parent``: no prose, and no answers but those of success."""
    if isinstance(node, list):
        return [shapes(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    if parent in _NAMED:
        return {name: shapes(schema) for name, schema in node.items()}
    kept = {key: value for key, value in node.items() if key not in _PROSE}
    if parent == "responses":
        kept = {status: value for status, value in kept.items() if status.startswith("2")}
    return {key: shapes(value, parent=key) for key, value in kept.items()}


if __name__ == "__main__":
    print(json.dumps(shapes(openapi_document()), indent=1, sort_keys=True))
