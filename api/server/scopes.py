"""Which scope each operation needs: one list, and the one place that enforces it.

A key's scope includes those before it: read, write, admin. An operation that is not listed needs admin. The list is in
the OpenAPI document too, as the roles of each operation's ``security``.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from services.records.keys import KeyScope, KnownKey

#: By the operation's name, that of its route's function. None: open to those without a key, as auth.OPEN_PATHS says.
SCOPES: Mapping[str, KeyScope | None] = {
    "create_study": KeyScope.WRITE,
    "check_study": KeyScope.READ,
    "list_studies": KeyScope.READ,
    "get_study": KeyScope.READ,
    "extend_study": KeyScope.WRITE,
    "pause_study": KeyScope.WRITE,
    "resume_study": KeyScope.WRITE,
    "cancel_study": KeyScope.WRITE,
    "delete_study": KeyScope.ADMIN,
    "get_logs": KeyScope.READ,
    "get_front": KeyScope.READ,
    "get_points": KeyScope.READ,
    "get_curve": KeyScope.READ,
    "get_importance": KeyScope.READ,
    "stream_events": KeyScope.READ,
    "list_trials": KeyScope.READ,
    "get_trial": KeyScope.READ,
    "get_architecture": KeyScope.READ,
    "compress_trial": KeyScope.WRITE,
    "train_trial": KeyScope.WRITE,
    "retry_trial": KeyScope.WRITE,
    "get_training": KeyScope.READ,
    "list_variants": KeyScope.READ,
    "get_variant": KeyScope.READ,
    "predict": KeyScope.WRITE,
    "get_artifact": KeyScope.READ,
    "list_recipes": KeyScope.READ,
    "create_dataset": KeyScope.WRITE,
    "list_datasets": KeyScope.READ,
    "get_dataset": KeyScope.READ,
    "cancel_dataset": KeyScope.WRITE,
    "get_cluster": KeyScope.READ,
    "healthz": None,
    "readyz": None,
    "metrics": KeyScope.READ,
}
#: Where ``KeyMiddleware`` puts the key of a request, or None for one that was let in without.
CALLER = "seedleaf_caller"
_SCHEME = "key"
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


async def enforce_scope(request: Request) -> None:
    """A dependency of every operation: HTTPException 403 if the request's key does not cover it."""
    operation = request.scope["route"].name
    caller: KnownKey | None = request.scope[CALLER]
    needed = SCOPES.get(operation, KeyScope.ADMIN)
    if caller is None or needed is None or caller.scope.covers(needed):
        return
    raise HTTPException(
        403,
        f"this needs a key of scope {needed}, and the key {caller.name.name!r} has scope {caller.scope}: "
        f"`seedleaf key create NAME --scope {needed}` makes one",
    )


class ScopedApi(FastAPI):
    """FastAPI whose OpenAPI document names the scope of each listed operation."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"].setdefault("securitySchemes", {})[_SCHEME] = {"type": "http", "scheme": "bearer"}
        for path in document["paths"].values():
            for method, operation in path.items():
                name = str(operation["operationId"]) if method in _METHODS else ""
                if name in SCOPES:
                    needed = SCOPES[name]
                    operation["security"] = [] if needed is None else [{_SCHEME: [needed.value]}]
        return document
