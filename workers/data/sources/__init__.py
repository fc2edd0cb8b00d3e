"""The sources of images: every file of this folder registers one."""

from search.contract.dataset import DatasetSpec
from search.registry import import_files
from workers.data.errors import MissingPackageError
from workers.data.listing import Listing, without_test_split
from workers.data.sources.registry import SOURCES

import_files(__name__)

__all__ = ["SOURCES", "list_samples"]


def list_samples(spec: DatasetSpec) -> Listing:
    """What the spec's source holds, without decoding; no ``test`` where ``test_fraction`` is 0. Raises DataError."""
    try:
        listing = SOURCES[spec.source](spec)
        return listing if spec.test_fraction else without_test_split(listing)
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"source {spec.source!r} needs a package that is not installed ({error}): install seedleaf[workers]"
        ) from error
