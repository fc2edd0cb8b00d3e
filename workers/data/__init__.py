"""Data sets: sources, decoding, cache and splits."""

from workers.data.check import check_dataset
from workers.data.dataset import Dataset, Overview, inspect, load_dataset
from workers.data.errors import (
    CacheFullError,
    ClassError,
    DataError,
    DatasetFormatError,
    DatasetNotFoundError,
    MissingPackageError,
    UnreadableImageError,
)
from workers.data.resize import preprocess
from workers.data.splits import Splits

__all__ = [
    "CacheFullError",
    "ClassError",
    "DataError",
    "Dataset",
    "DatasetFormatError",
    "DatasetNotFoundError",
    "MissingPackageError",
    "Overview",
    "Splits",
    "UnreadableImageError",
    "check_dataset",
    "inspect",
    "load_dataset",
    "preprocess",
]
