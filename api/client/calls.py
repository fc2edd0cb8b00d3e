"""Calls: typed requests. The objects in a response are bound to their client."""

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from api.client.connection import Connection
from api.client.errors import ServerFailedError
from api.schemas import Page

M = TypeVar("M", bound=BaseModel)
DEFAULT_URL = "http://127.0.0.1:8000"
PAGE = 200


class Calls:
    """Typed requests to one server. Close it, or use it in a ``with`` block."""

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        self._connection = Connection(
            url or os.environ.get("SEEDLEAF_URL") or DEFAULT_URL, key or os.environ.get("SEEDLEAF_API_KEY")
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    @property
    def url(self) -> str:
        return self._connection.url

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _get(self, model: type[M], path: str, **params: object) -> M:
        return self._read(model, self._connection.get(path, params))

    def _text(self, path: str) -> str:
        return self._connection.get(path, {}).decode()

    def _send(
        self,
        model: type[M],
        method: str,
        path: str,
        body: BaseModel | None = None,
        headers: dict[str, str] | None = None,
    ) -> M:
        content = None if body is None else body.model_dump(mode="json")
        return self._read(model, self._connection.send(method, path, content, headers))

    def _delete(self, path: str) -> None:
        self._connection.send("DELETE", path)

    def _every(self, model: type[Page[M]], path: str, **filters: object) -> Iterator[M]:
        cursor: str | None = None
        while True:
            page = self._get(model, path, **filters, cursor=cursor, limit=PAGE)
            yield from page.items
            cursor = page.next
            if cursor is None:
                return

    def _read(self, model: type[M], body: bytes) -> M:
        try:
            return model.model_validate_json(body, context={"client": self})
        except ValidationError as error:
            raise ServerFailedError(
                f"the response of {self.url} cannot be read: is it a Seedleaf server of this version?"
            ) from error


def path_of(*parts: str) -> str:
    """``/studies/study_1`` for ``studies`` and ``study_1``; an id is one part, whatever it contains."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)
