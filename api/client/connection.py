"""The HTTP connection of the client: requests, retries, problem documents, event streams and downloads."""

import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from api.client.errors import (
    DamagedDownloadError,
    FieldError,
    RequestRejectedError,
    ServerFailedError,
    ServerUnreachableError,
)
from api.client.events import StudyEvent, parse_events
from api.schemas import Problem
from search.files import replacing

T = TypeVar("T")
_TIMEOUT_S = 30.0
_ATTEMPTS = 4
#: Waits between the attempts of a request that changes nothing: doubled each time, plus random jitter.
_FIRST_WAIT_S, _LONGEST_WAIT_S, _JITTER_S = 0.2, 2.0, 0.1
#: A stream is silent for at most 15 seconds while its server lives.
_STREAM_SILENCE_S = 45.0
_RECONNECT_S = 1.0
#: How long a stream tries to reconnect: as long as a server may take to restart.
_STREAM_PATIENCE_S = 60.0
_RETRIED = (ServerUnreachableError, ServerFailedError, DamagedDownloadError)


class Connection:
    """Requests to one server. Every method raises the errors of ``api.client.errors`` and no others."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise ServerUnreachableError(self.url, str(error)) from error

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, object]) -> bytes:
        """The body of a response. Temporary failures are retried a few times: a GET changes nothing."""
        query = {name: value for name, value in params.items() if value is not None}
        return _retry(lambda: self._request("GET", path, params=query))

    def send(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> bytes:
        """The body of the response to a request that changes something; it is sent once."""
        return self._request(method, path, json=body, headers=headers)

    def upload(self, path: str, content: bytes) -> bytes:
        """The body of the response to a POST of a file."""
        return self._request("POST", path, content=content, headers={"Content-Type": "application/octet-stream"})

    def events(self, path: str, *, after: int) -> Generator[StudyEvent, None, None]:
        """Events later than ``after``, without end: a broken stream is resumed at the same event."""
        give_up_at_s = time.monotonic() + _STREAM_PATIENCE_S
        while True:
            try:
                for event in self._stream_events(path, after):
                    if event is not None:
                        after = event.id
                        yield event
                    give_up_at_s = time.monotonic() + _STREAM_PATIENCE_S
            except (ServerUnreachableError, ServerFailedError):
                if time.monotonic() > give_up_at_s:
                    raise
            time.sleep(_RECONNECT_S)

    def download(self, path: str, target: Path, *, sha256: str) -> None:
        """Write the file to ``target``, whole or not at all. DamagedDownloadError if its SHA-256 is another."""
        _retry(lambda: self._download(path, target, sha256))

    def _request(self, method: str, path: str, **options: Any) -> bytes:
        with self._respond(method, path, **options) as response:
            return response.read()

    def _stream_events(self, path: str, after: int) -> Iterator[StudyEvent | None]:
        headers = {"Last-Event-ID": str(after)}
        timeout = httpx.Timeout(_TIMEOUT_S, read=_STREAM_SILENCE_S)
        with self._respond("GET", path, headers=headers, timeout=timeout) as response:
            yield from parse_events(response.iter_lines())

    def _download(self, path: str, target: Path, sha256: str) -> None:
        digest = hashlib.sha256()
        with self._respond("GET", path) as response, replacing(target) as file:
            for chunk in response.iter_bytes():
                digest.update(chunk)
                file.write(chunk)
            if digest.hexdigest() != sha256:
                raise DamagedDownloadError(target, sha256, digest.hexdigest())

    @contextmanager
    def _respond(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        try:
            with self._http.stream(method, path, **options) as response:
                if not response.is_success:
                    response.read()
                    self._raise(response)
                yield response
        except httpx.RequestError as error:
            raise ServerUnreachableError(self.url, str(error) or type(error).__name__) from error

    def _raise(self, response: httpx.Response) -> None:
        try:
            problem = Problem.model_validate_json(response.content)
        except ValidationError:
            problem = Problem(
                title="Error",
                status=response.status_code,
                detail=f"{self.url} returned {response.status_code} {response.reason_phrase}: is it a Seedleaf server?",
            )
        if response.is_server_error:
            raise ServerFailedError(problem.detail)
        fields = [FieldError(field=error["field"], message=error["message"]) for error in problem.errors]
        raise RequestRejectedError(response.status_code, problem.detail, fields)


def _retry(attempt: Callable[[], T]) -> T:
    # Imported late: it takes a fifth of the time that the command line's help may take.
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

    retrying = Retrying(
        retry=retry_if_exception_type(_RETRIED),
        wait=wait_exponential(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S) + wait_random(0, _JITTER_S),
        stop=stop_after_attempt(_ATTEMPTS),
        reraise=True,
    )
    return retrying(attempt)
