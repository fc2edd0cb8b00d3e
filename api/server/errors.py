"""Errors as RFC 9457 problem documents: the only module that knows HTTP status codes."""

from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg2.errors import DiskFull, QueryCanceled
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException as StarletteHTTPException

from api.schemas import Problem
from search.study.spec import spec_problems
from services.database import READ_LIMIT_MS
from services.errors import (
    BusyError,
    ConflictError,
    KeyReusedError,
    NotFoundError,
    RejectedError,
    ServiceError,
    StorageError,
)
from services.ray.errors import RayError

_TITLES = {
    400: "Bad request",
    401: "No valid key",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too long",
    422: "Rejected",
    500: "A defect of the server",
    503: "Not now",
}
DATABASE_AWAY = (503, "the database does not answer: try again in a few seconds")
RAY_AWAY = (503, "Ray does not answer: try again in a few seconds")
CONNECTIONS_BUSY = (503, "all connections to the database are in use: try again in a few seconds")
DATABASE_READ_ONLY = (503, "the database takes no writes at present: try again when its operator has seen to it")
DATABASE_FULL = (503, "the disk of the database is full: it answers again by itself once there is room")
READS_TOO_LONG = (
    503,
    f"the database would read for more than {READ_LIMIT_MS // 1000} s: ask for one study (study_id), with fewer "
    "filters, or in the order of a metric that is filtered",
)
#: Every 503 says when to try again: it passes, or its operator has to see to it first.
RETRY_AFTER_S = 5
_READ_ONLY_TRANSACTION = "25006"
_RETRY_AFTER = {
    "description": "seconds to wait before the next try",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "model": Problem,
        "content": {"application/problem+json": {}},
        "description": title,
        **({"headers": {"Retry-After": _RETRY_AFTER}} if status == 503 else {}),
    }
    for status, title in _TITLES.items()
}
_STATUS = {
    NotFoundError: 404,
    ConflictError: 409,
    RejectedError: 422,
    KeyReusedError: 422,
    StorageError: 503,
    BusyError: 503,
}


def problem(
    status: int, detail: str, errors: list[dict[str, str]] | None = None, *, retry_after_s: int | None = None
) -> JSONResponse:
    body = Problem(title=_TITLES.get(status, "Error"), status=status, detail=detail, errors=errors or [])
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status == 503:
        headers["Retry-After"] = str(retry_after_s or RETRY_AFTER_S)
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every error of this application with a problem document."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(PoolTimeoutError, _connections_busy)
    app.add_exception_handler(InternalError, _database_refuses)
    app.add_exception_handler(RayError, _ray_away)
    app.add_exception_handler(Exception, _defect)


async def _service_error(request: Request, error: Exception) -> JSONResponse:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    fields = [{"field": error.field, "message": error.message}] if isinstance(error, RejectedError) else None
    retry_after_s = error.retry_after_s if isinstance(error, BusyError) else None
    return problem(status, str(error), fields, retry_after_s=retry_after_s)


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = spec_problems([{**detail, "loc": detail["loc"][1:]} for detail in error.errors()])
    lines = "; ".join(f"{item['field']}: {item['message']}" for item in errors)
    return problem(422, f"{len(errors)} problem(s): {lines}", errors)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException | StarletteHTTPException)
    return problem(error.status_code, str(error.detail))


async def _database_away(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OperationalError)
    if isinstance(error.orig, QueryCanceled):
        return problem(*READS_TOO_LONG)
    return problem(*(DATABASE_FULL if isinstance(error.orig, DiskFull) else DATABASE_AWAY))


async def _connections_busy(request: Request, error: Exception) -> JSONResponse:
    return problem(*CONNECTIONS_BUSY)


async def _database_refuses(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InternalError)
    if getattr(error.orig, "pgcode", None) == _READ_ONLY_TRANSACTION:
        return problem(*DATABASE_READ_ONLY)
    raise error


async def _ray_away(request: Request, error: Exception) -> JSONResponse:
    return problem(*RAY_AWAY)


async def _defect(request: Request, error: Exception) -> JSONResponse:
    return problem(500, "the server has a defect: its log tells more")
