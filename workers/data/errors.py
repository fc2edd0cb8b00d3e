"""The errors of data sets: what is wrong, where, and what the user can do.

DataError
├── DatasetNotFoundError     nothing at the path, or it cannot be listed
├── DatasetFormatError       annotations, class lists or tables that do not say what they should
├── ClassError               a class has too few usable images to be split
├── UnreadableImageError     one image; load_dataset skips it and names it, so it never leaves workers.data
├── MissingPackageError      the source or decoder needs a package that is not installed
├── DatasetChangedError      the images are not those that the study has read before
└── CacheFullError           no room in the cache; the only one that a retry may cure, once a data set is let go
"""


class DataError(Exception):
    """Top of the tree; every message says what the user can do."""


class DatasetNotFoundError(DataError):
    pass


class DatasetFormatError(DataError):
    pass


class ClassError(DataError):
    pass


class UnreadableImageError(DataError):
    pass


class MissingPackageError(DataError):
    pass


class DatasetChangedError(DataError):
    pass


class CacheFullError(DataError):
    pass
