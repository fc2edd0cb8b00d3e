"""The errors of the services, each with what the user can do.

ServiceError
├── NotFoundError       no such study, trial, variant, artifact or data set
│   └── DeletedError    there was such a study, and it was deleted
├── ConflictError       the state does not allow it
│   └── LeaseLostError  another driver or worker holds this now: discard the result
├── RejectedError       the request cannot be carried out as it stands; names the field
├── BusyError           too much is going on: trying again in a few seconds helps
├── KeyReusedError      an Idempotency-Key came with another body
├── ArtifactError       a file of the record is missing or damaged
└── StorageError        object storage does not answer, or refuses: trying again may help
"""

from typing import Literal


class ServiceError(Exception):
    """Something the services refuse to do."""


class NotFoundError(ServiceError):
    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"no {kind} {identifier!r}; list them to see what there is")


class DeletedError(NotFoundError):
    def __init__(self, what: str) -> None:
        ServiceError.__init__(self, what)


class ConflictError(ServiceError):
    pass


class LeaseLostError(ConflictError):
    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is held by someone else by now: its result is discarded")


class RejectedError(ServiceError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


class BusyError(ServiceError):
    """``retry_after_s``: how long to wait before trying again."""

    def __init__(self, what: str, *, retry_after_s: int) -> None:
        super().__init__(f"{what}: try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class KeyReusedError(ServiceError):
    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used with another body: send a new key with a new study")


class ArtifactError(ServiceError, ValueError):
    def __init__(self, address: str, fault: Literal["missing", "damaged"]) -> None:
        super().__init__(f"{address} is {fault}: restore it from a backup, or run its trial again")


class StorageError(ServiceError):
    def __init__(self, url: str, error: Exception) -> None:
        self.url = url
        super().__init__(
            f"the artifacts at {url} cannot be reached ({error or type(error).__name__}): try again in a few seconds; "
            "if it stays so, mend SEEDLEAF_ARTIFACTS_URL or the credentials for it"
        )
