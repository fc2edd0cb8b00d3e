"""Errors of the client; each message says what the user can do.

SeedleafError
├── ServerUnreachableError  no server responds at the URL; a retry makes sense
├── ServerFailedError       the server failed; a retry makes sense
├── RequestRejectedError    the server rejected the request and says why; a retry will be rejected too
├── DamagedDownloadError    the file arrived with another SHA-256; a retry makes sense
├── NotCompletedError       the study or training failed or was cancelled; the message has its reason
├── MissingPackageError     a Python package that this needs is not installed
├── SourceError             the file or database to read is missing or invalid
└── TargetError             the file, folder or service to write to is missing, occupied or invalid
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class SeedleafError(Exception):
    """Base of all errors that the client raises."""


class ServerUnreachableError(SeedleafError):
    def __init__(self, url: str, cause: str) -> None:
        super().__init__(
            f"no Seedleaf server answers at {url} ({cause}): start one with `seedleaf up`, or set SEEDLEAF_URL"
        )


class ServerFailedError(SeedleafError):
    pass


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """``field`` is a path such as ``space.image_size[0]``."""

    field: str
    message: str


class RequestRejectedError(SeedleafError):
    """``status`` is the HTTP status; ``field_errors`` lists every invalid field, empty for other problems."""

    def __init__(self, status: int, detail: str, field_errors: Sequence[FieldError] = ()) -> None:
        super().__init__(field_error_text(field_errors) if field_errors else detail)
        self.status, self.detail, self.field_errors = status, detail, tuple(field_errors)


class DamagedDownloadError(SeedleafError):
    def __init__(self, target: Path, expected_sha256: str, actual_sha256: str) -> None:
        super().__init__(
            f"the download for {target} has the sha256 {actual_sha256[:12]}..., not {expected_sha256[:12]}...: "
            "nothing was written; download it again"
        )


class NotCompletedError(SeedleafError):
    def __init__(self, what: str, state: str, reason: str | None) -> None:
        super().__init__(f"{what} is {state}: {reason or 'by request'}")


class MissingPackageError(SeedleafError):
    def __init__(self, package: str, install: str | None = None) -> None:
        super().__init__(f"this needs {package}: install it with `pip install {install or package}`")


class SourceError(SeedleafError):
    pass


class TargetError(SeedleafError):
    pass


def field_error_text(field_errors: Sequence[FieldError]) -> str:
    """One error on one line; several on a line each."""
    lines = [f"{error.field}: {error.message}" for error in field_errors]
    return lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} mistakes:", *lines])
