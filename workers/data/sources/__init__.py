"""The sources of images, by the name that a spec gives; a new one is a file here and a line below."""

from collections.abc import Callable

from search.dataset import DatasetSpec
from workers.data.listing import Listing
from workers.data.sources import folder, scikit

SOURCES: dict[str, Callable[[DatasetSpec], Listing]] = {
    "folder": folder.list_samples,
    "sklearn": scikit.list_samples,
}


def list_samples(spec: DatasetSpec) -> Listing:
    """What the spec's source holds, without decoding. Raises DataError."""
    return SOURCES[spec.source](spec)
