"""The public import: ``from seedleaf import Client, StudySpec``."""

from api.client import (
    Client,
    DamagedDownloadError,
    FieldError,
    MissingPackageError,
    NotCompletedError,
    RequestRejectedError,
    SeedleafError,
    ServerFailedError,
    ServerUnreachableError,
    StudyEvent,
    TargetError,
)
from search.recipes import Recipe
from search.spec import StudySpec

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
    "StudyEvent",
    "StudySpec",
    "TargetError",
]
