"""The Python client of a Seedleaf server: ``from seedleaf import Client``."""

from api.client.client import Client
from api.client.errors import (
    DamagedDownloadError,
    FieldError,
    MissingPackageError,
    NotCompletedError,
    RequestRejectedError,
    SeedleafError,
    ServerFailedError,
    ServerUnreachableError,
    TargetError,
)
from api.client.events import StudyEvent

__all__ = [
    "Client",
    "DamagedDownloadError",
    "FieldError",
    "MissingPackageError",
    "NotCompletedError",
    "RequestRejectedError",
    "SeedleafError",
    "ServerFailedError",
    "ServerUnreachableError",
    "StudyEvent",
    "TargetError",
]
