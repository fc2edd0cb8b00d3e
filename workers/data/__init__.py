"""Data sets: sources, decoding, cache and splits."""

from workers.data.check import check_dataset
from workers.data.dataset import Dataset, Overview, inspect, load_dataset, load_study_dataset, require_unchanged
from workers.data.errors import (
    CacheFullError,
    ClassError,
    DataError,
    DatasetChangedError,
    DatasetFormatError,
    DatasetNotFoundError,
    MissingPackageError,
    UnreadableImageError,
)
from workers.data.resize import preprocess
from workers.data.splits import Splits
from workers.data.test_split import TestSplit, load_test_split
from workers.data.unchanged import ChangeCheck

__all__ = [
    "CacheFullError",
    "ChangeCheck",
    "ClassError",
    "DataError",
    "Dataset",
    "DatasetChangedError",
    "DatasetFormatError",
    "DatasetNotFoundError",
    "MissingPackageError",
    "Overview",
    "Splits",
    "TestSplit",
    "UnreadableImageError",
    "check_dataset",
    "inspect",
    "load_dataset",
    "load_study_dataset",
    "load_test_split",
    "preprocess",
    "require_unchanged",
]
