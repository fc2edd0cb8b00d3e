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
from workers.data.listing import Skipped
from workers.data.report import ClassReport, DatasetReport, Spread
from workers.data.resize import preprocess
from workers.data.splits import Splits

__all__ = [
    "CacheFullError",
    "ClassError",
    "ClassReport",
    "DataError",
    "Dataset",
    "DatasetFormatError",
    "DatasetNotFoundError",
    "DatasetReport",
    "MissingPackageError",
    "Overview",
    "Skipped",
    "Splits",
    "Spread",
    "UnreadableImageError",
    "check_dataset",
    "inspect",
    "load_dataset",
    "preprocess",
]
