"""The public import: ``from seedleaf import Client, StudySpec``."""

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
    SourceError,
    TargetError,
)
from api.client.events import StudyEvent
from search.contract.recipes import Recipe
from search.study.spec import StudySpec

__all__ = [
    "Client",
    "DamagedDownloadError",
    "FieldError",
    "MissingPackageError",
    "NotCompletedError",
    "Recipe",
    "RequestRejectedError",
    "SeedleafError",
    "ServerFailedError",
    "ServerUnreachableError",
    "SourceError",
    "StudyEvent",
    "StudySpec",
    "TargetError",
]
