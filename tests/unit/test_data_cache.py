"""The cache of decoded images: shared by processes, safe when one dies, bounded, and never emptied under a user."""

import gc
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.unit.data_folders import folder_spec, write_classes
from workers.data import CacheFullError, load_dataset
from workers.data.cache import CachedImages, ImageCache, RowSource

Pixels = npt.NDArray[np.uint8]
SHAPE = (3, 4, 4, 3)
ENTRY_BYTES = 128 + 3 * 4 * 4 * 3

spawn = multiprocessing.get_context("spawn")


def constant_rows(value: int) -> RowSource:
    return lambda: iter([(row, np.full(SHAPE[1:], value, np.uint8)) for row in (2, 0, 1)])


def get(cache: ImageCache, key: str, value: int = 1) -> CachedImages:
    return cache.get(key, shape=SHAPE, rows=constant_rows(value))


def started(target: Callable[[Path, Event], None], folder: Path) -> SpawnProcess:
    """A process that has come to where it waits to be killed."""
    ready = spawn.Event()
    process = spawn.Process(target=target, args=(folder, ready))
    process.start()
    assert ready.wait(60)
    return process


def use_and_wait(folder: Path, ready: Event) -> None:
    images = get(ImageCache(folder, limit_bytes=10_000), "used").images
    ready.set()
    signal.pause()
    assert images.max() == 1


def build_half_and_wait(folder: Path, ready: Event) -> None:
    def half() -> Iterator[tuple[int, Pixels]]:
        yield 0, np.zeros(SHAPE[1:], np.uint8)
        ready.set()
        signal.pause()

    ImageCache(folder, limit_bytes=10_000).get("half", shape=SHAPE, rows=half)


def load_and_tell(root: Path, cache_dir: Path, seen: "Queue[tuple[int, str, int]]") -> None:
    dataset = load_dataset(folder_spec(root), side_px=32, cache_dir=cache_dir)
    file = next((cache_dir / "images").glob("*/images.npy"))
    seen.put((int(dataset.images.sum()), dataset.id, file.stat().st_ino))


def keys(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_rows_come_back_in_their_places_and_read_only(tmp_path: Path) -> None:
    rows = [(2, np.full(SHAPE[1:], 2, np.uint8)), (0, np.full(SHAPE[1:], 0, np.uint8))]
    rows.append((1, np.full(SHAPE[1:], 1, np.uint8)))
    cached = ImageCache(tmp_path, limit_bytes=10_000).get("key", shape=SHAPE, rows=lambda: iter(rows))
    assert cached.images[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert not cached.images.flags.writeable
    assert np.array_equal(np.load(tmp_path / "key" / "images.npy"), cached.images)


def test_failed_rows_leave_no_gap(tmp_path: Path) -> None:
    rows: list[tuple[int, Pixels | str]] = [
        (2, np.full(SHAPE[1:], 2, np.uint8)),
        (0, "broken"),
        (1, np.full(SHAPE[1:], 1, np.uint8)),
    ]
    cache = ImageCache(tmp_path, limit_bytes=10_000)
    for cached in (cache.get("key", shape=SHAPE, rows=lambda: iter(rows)), get(cache, "key")):
        assert cached.images[:, 0, 0, 0].tolist() == [1, 2]
        assert cached.failures == {0: "broken"}


def test_an_entry_is_built_once(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path, limit_bytes=10_000)
    get(cache, "key", value=1)
    assert get(cache, "key", value=2).images.max() == 1


def test_all_rows_may_fail(tmp_path: Path) -> None:
    cached = ImageCache(tmp_path, limit_bytes=10_000).get(
        "key", shape=SHAPE, rows=lambda: iter([(row, "broken") for row in range(3)])
    )
    assert cached.images.shape == (0, 4, 4, 3)


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[tuple[int, Pixels]]:
        yield 0, np.zeros(SHAPE[1:], np.uint8)
        raise RuntimeError("out of luck")

    cache = ImageCache(tmp_path, limit_bytes=10_000)
    with pytest.raises(RuntimeError, match="out of luck"):
        cache.get("key", shape=SHAPE, rows=failing)
    assert keys(tmp_path) == set()
    assert get(cache, "key").images.max() == 1


def test_the_longest_unused_entry_goes_first(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path, limit_bytes=2 * ENTRY_BYTES + 100)
    for age_s, key in ((100, "old"), (200, "older")):
        get(cache, key)
        os.utime(tmp_path / key / "images.npy", (time.time() - age_s,) * 2)
    gc.collect()
    get(cache, "new")
    assert keys(tmp_path) == {"old", "new"}


def test_an_entry_in_use_stays_even_where_that_leaves_no_room(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path, limit_bytes=ENTRY_BYTES + 100)
    used = get(cache, "used").images[1:]
    with pytest.raises(CacheFullError, match=r"raise the limit.*or end other studies"):
        get(cache, "new")
    assert keys(tmp_path) == {"used"}
    del used
    gc.collect()
    get(cache, "new")
    assert keys(tmp_path) == {"new"}


def test_an_entry_used_by_another_process_stays_until_that_process_ends(tmp_path: Path) -> None:
    process = started(use_and_wait, tmp_path)
    cache = ImageCache(tmp_path, limit_bytes=ENTRY_BYTES + 100)
    with pytest.raises(CacheFullError):
        get(cache, "new")
    assert keys(tmp_path) == {"used"}
    process.kill()
    process.join()
    get(cache, "new")
    assert keys(tmp_path) == {"new"}


def test_a_builder_that_is_killed_leaves_nothing_that_counts(tmp_path: Path) -> None:
    process = started(build_half_and_wait, tmp_path)
    cache = ImageCache(tmp_path, limit_bytes=ENTRY_BYTES + 100)
    with pytest.raises(CacheFullError):
        get(cache, "other")
    process.kill()
    process.join()
    get(cache, "other")
    assert keys(tmp_path) == {"other"}
    gc.collect()
    assert get(cache, "half").images.max() == 1


def test_many_processes_that_want_the_same_data_set_build_it_once_and_see_the_same(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 20, "dog": 20})
    seen = spawn.Queue()
    processes = [spawn.Process(target=load_and_tell, args=(root, tmp_path / "cache", seen)) for _ in range(3)]
    for process in processes:
        process.start()
    assert len({seen.get(timeout=60) for _ in processes}) == 1
    for process in processes:
        process.join()


def test_other_sides_and_other_ways_of_resizing_are_other_entries(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 4, "dog": 4})
    datasets = [
        load_dataset(folder_spec(root, resize=resize), side_px=side_px, cache_dir=tmp_path / "cache")
        for side_px in (16, 24)
        for resize in ("pad", "stretch", "crop")
    ]
    assert len({dataset.id for dataset in datasets}) == 1
    assert len({dataset.images.tobytes() for dataset in datasets}) == 6
