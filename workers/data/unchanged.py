"""ChangeCheck: notices cheaply, before each task of a worker, that the images on disk are no longer a study's."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from search.contract.dataset import DatasetSpec
from search.contract.study_dataset import StudyDataset
from workers.data.dataset import require_unchanged
from workers.data.errors import DataError
from workers.data.files import list_tree

#: Files are listed for at most this fraction of a worker's time.
_LISTING_FRACTION = 0.02


@dataclass(frozen=True, kw_only=True)
class _Listed:
    stamp: str | None
    at_s: float
    took_s: float


class ChangeCheck:
    """Remembers, for each data set, the names, sizes and times of its files when they last were the study's images."""

    def __init__(self, *, listing_fraction: float = _LISTING_FRACTION) -> None:
        self._listing_fraction = listing_fraction
        self._listed: dict[StudyDataset, _Listed] = {}

    def require_unchanged(self, data: StudyDataset, cache_dir: Path) -> None:
        """DatasetChangedError where the images are not those of ``data``.

        Bytes are read only if a name, a size or a time has changed. Files are listed for at most ``listing_fraction``
        of the time: where they are many and tasks short, a task goes without. It works on the images in memory, which
        are the study's.
        """
        last = self._listed.get(data)
        started_s = time.monotonic()
        if last is not None and last.took_s > self._listing_fraction * (started_s - last.at_s):
            return
        stamp = _stamp(data.spec)
        ended_s = time.monotonic()
        if last is None or stamp != last.stamp:
            require_unchanged(data, cache_dir)
        self._listed[data] = _Listed(stamp=stamp, at_s=ended_s, took_s=ended_s - started_s)


def _stamp(spec: DatasetSpec) -> str | None:
    """A hash of the name, size and time of every file of the data set; None where files cannot be listed or stamped."""
    stamp = hashlib.sha256()
    try:
        for field, location in sorted(spec.locations.items()):
            for name, file in list_tree(location).files.items():
                if file.stamp is None:
                    return None
                stamp.update(f"{field}\0{name}\0{file.stamp}\0".encode())
    except DataError:
        return None
    return stamp.hexdigest()
