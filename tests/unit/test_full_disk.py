"""Whoever writes files of Seedleaf's own says so where a disk is full or read-only, and leaves nothing behind."""

import errno
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from search.files import UnwritableError, replace_file, writing_to
from services.jobs.no_room import no_room_behind
from services.storage.artifacts import ArtifactStore
from services.storage.room import takes_files
from tests.small_disk import SmallDisk, small_disk
from tests.unit.data_folders import folder_spec, write_classes
from workers.data import load_dataset
from workers.data.cache import ImageCache


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


def fill(disk: SmallDisk) -> None:
    disk.fill()


def make_read_only(disk: SmallDisk) -> None:
    disk.make_read_only()


TROUBLES = pytest.mark.parametrize(
    ("trouble", "number"), [(fill, errno.ENOSPC), (make_read_only, errno.EROFS)], ids=["full", "read-only"]
)


@TROUBLES
def test_an_artifact_that_has_no_room_is_absent(
    disk: SmallDisk, trouble: Callable[[SmallDisk], None], number: int
) -> None:
    store = ArtifactStore(disk.folder)
    trouble(disk)
    with pytest.raises(UnwritableError) as caught:
        store.put(bytes(2**20))
    assert (caught.value.folder, caught.value.number) == (str(disk.folder), number)
    assert list(store.files(older_than_s=0)) == []


@TROUBLES
def test_a_cache_that_has_no_room_says_so(
    disk: SmallDisk, trouble: Callable[[SmallDisk], None], number: int, tmp_path: Path
) -> None:
    spec = folder_spec(write_classes(tmp_path / "data", {"cat": 3, "dog": 3}))
    trouble(disk)
    with pytest.raises(UnwritableError) as caught:
        load_dataset(spec, side_px=64, cache_dir=disk.folder / "cache")
    assert caught.value.number == number
    assert str(disk.folder) in str(caught.value)


def test_an_entry_that_does_not_fit_leaves_nothing_behind_and_is_built_once_there_is_room(disk: SmallDisk) -> None:
    cache, shape = ImageCache(disk.folder / "images", limit_bytes=2**30), (4, 512, 512, 3)
    with (disk.folder / "other").open("wb") as file:
        file.write(bytes(6 * 2**20))

    def rows() -> Iterator[tuple[int, np.ndarray | str]]:
        return iter([(row, np.ones(shape[1:], np.uint8)) for row in range(4)])

    with pytest.raises(UnwritableError):
        cache.get("key", shape=shape, rows=rows)
    assert [path.name for path in (disk.folder / "images").iterdir() if path.is_dir()] == []
    (disk.folder / "other").unlink()
    assert cache.get("key", shape=shape, rows=rows).images.sum() == 4 * 512 * 512 * 3


def test_a_folder_takes_files_again_once_there_is_room(disk: SmallDisk) -> None:
    below = disk.folder / "not" / "made"
    assert takes_files(below)
    disk.fill()
    assert not takes_files(below)
    disk.free()
    assert takes_files(disk.folder)
    disk.make_read_only()
    assert not takes_files(disk.folder)
    assert list(disk.folder.iterdir()) == []


def test_the_error_survives_the_way_from_a_worker_and_is_found_behind_others(tmp_path: Path) -> None:
    with pytest.raises(UnwritableError) as caught, writing_to(tmp_path):
        raise OSError(errno.EDQUOT, "quota")
    error = pickle.loads(pickle.dumps(caught.value))
    assert str(error) == str(caught.value)
    assert "Disk quota exceeded" in str(error)
    outer = RuntimeError("Tune says that something failed")
    outer.__context__ = error
    assert no_room_behind(outer) is error
    assert no_room_behind(ValueError("of its own")) is None


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError), writing_to(tmp_path):
        replace_file(tmp_path / "file" / "below", b"")
