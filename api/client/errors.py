"""What can go wrong between a client and a server, each with what the user can do.

SeedleafError
├── ServerUnreachableError  nobody answers at the URL; trying again makes sense
├── ServerFailedError       the server could not do it; trying again makes sense
├── RequestRejectedError    the server refuses and says why; the same request will be refused again
├── DamagedDownloadError    what arrived is not what was asked for; trying again makes sense
├── NotCompletedError       what was waited for failed or was cancelled; its reason is told
├── MissingPackageError     this needs a package that is not installed
├── SourceError             what is to be read is not there, or not what it should be
└── TargetError             what a study is to be written to does not take it
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
    """``status`` is HTTP's; ``field_errors`` names every field that is wrong, if fields are what is wrong."""

    def __init__(self, status: int, detail: str, field_errors: Sequence[FieldError] = ()) -> None:
        super().__init__(told(field_errors) if field_errors else detail)
        self.status, self.detail, self.field_errors = status, detail, tuple(field_errors)


class DamagedDownloadError(SeedleafError):
    def __init__(self, target: Path, expected_sha256: str, found_sha256: str) -> None:
        super().__init__(
            f"what arrived for {target} has the sha256 {found_sha256[:12]}..., not {expected_sha256[:12]}...: "
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


def told(field_errors: Sequence[FieldError]) -> str:
    """One mistake on one line; several each on a line of its own."""
    lines = [f"{error.field}: {error.message}" for error in field_errors]
    return lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} mistakes:", *lines])
