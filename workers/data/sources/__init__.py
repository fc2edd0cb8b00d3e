"""The sources of images, by the name that a spec gives; a new one is a file here and a line below.

A source's module has ``list_samples(spec) -> Listing``, and is imported only when it is asked for.
"""

from importlib import import_module

from search.contract.dataset import DatasetSpec
from workers.data.errors import MissingPackageError
from workers.data.listing import Listing

SOURCES = {
    "coco": "workers.data.sources.coco",
    "folder": "workers.data.sources.folder",
    "parquet": "workers.data.sources.parquet",
    "sklearn": "workers.data.sources.scikit",
    "torchvision": "workers.data.sources.torchvision_sets",
}


def list_samples(spec: DatasetSpec) -> Listing:
    """What the spec's source holds, without decoding. Raises DataError."""
    try:
        source = import_module(SOURCES[spec.source])
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"source {spec.source!r} needs a package that is not installed ({error}): install seedleaf[workers]"
        ) from error
    listing: Listing = source.list_samples(spec)
    return listing
