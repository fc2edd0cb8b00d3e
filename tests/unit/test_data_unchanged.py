"""A study's images: what counts as a change of them, what says so, and when their bytes are read again."""

import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from search.contract.dataset import DatasetSpec
from search.contract.study_dataset import StudyDataset
from tests.unit.data_folders import folder_spec, png, write_classes
from workers.data import ChangeCheck, DatasetChangedError, load_dataset, load_study_dataset, require_unchanged
from workers.data.content import read_content
from workers.data.decoded import decode_content
from workers.data.sources import list_samples
from workers.inputs import dataset_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_classes(tmp_path / "images", {"a": 4, "b": 4})


def first_read(root: Path, **fields: object) -> StudyDataset:
    spec = folder_spec(root, **fields)
    return load_dataset(spec, side_px=8, cache_dir=root.parent / "cache").as_first_read(spec)


def check(data: StudyDataset, root: Path) -> None:
    require_unchanged(data, root.parent / "cache")


def test_the_same_images_under_other_names_and_times_are_no_change(root: Path) -> None:
    data = first_read(root)
    for index, path in enumerate(sorted(root.rglob("*.png"))):
        os.utime(path.rename(path.with_name(f"renamed-{index}.png")), (1, 1))
    check(data, root)
    assert load_study_dataset(data, side_px=8, cache_dir=root.parent / "cache").id == data.id


def test_images_that_moved_to_another_class_are_a_change_that_says_which(root: Path) -> None:
    data = first_read(root)
    (root / "a" / "0000.png").rename(root / "b" / "0000.png")
    with pytest.raises(DatasetChangedError) as told:
        check(data, root)
    assert str(told.value) == (
        "the images changed since the study began: 2 classes of 8 images then, 2 classes of 8 images now"
        " ('a': 4, now 3; 'b': 4, now 5); make a new study, or restore the images and extend this one"
    )
    with pytest.raises(DatasetChangedError):
        load_study_dataset(data, side_px=16, cache_dir=root.parent / "cache")


def test_images_beside_a_test_split_are_those_without_it(root: Path) -> None:
    data = first_read(root, test_fraction=0.25)
    assert data.class_images == (3, 3)
    check(data, root)
    (root / "a" / "0000.png").rename(root / "b" / "0000.png")
    with pytest.raises(DatasetChangedError, match="2 classes of 6 images then"):
        check(data, root)


def test_images_that_moved_between_given_splits_are_a_change(tmp_path: Path) -> None:
    root = tmp_path / "images"
    for first, part in enumerate(("train", "val")):
        write_classes(root / part, {"a": 2, "b": 2}, first=10 * first)
    data = first_read(root)
    (root / "val" / "a" / "0010.png").rename(root / "train" / "a" / "0010.png")
    with pytest.raises(DatasetChangedError, match="as many of each class, but other images or another split"):
        check(data, root)


def test_a_new_class_and_a_lost_one_are_named(root: Path) -> None:
    data = first_read(root)
    (root / "b").rename(root / "c")
    with pytest.raises(DatasetChangedError, match="'b': 4, now 0; 'c': 0, now 4"):
        check(data, root)


def test_images_that_are_gone_are_a_change(root: Path) -> None:
    data = first_read(root)
    shutil.rmtree(root)
    with pytest.raises(
        DatasetChangedError, match=r"2 classes of 8 images then, and now: nothing at .*; make a new study"
    ):
        check(data, root)


def test_a_study_of_a_version_that_counted_nothing_names_classes_only() -> None:
    data = StudyDataset(spec=folder_spec(Path("images")), id="old", classes=("a", "b"), class_images=None)
    assert data.difference(("a", "c"), (4, 5)) == (
        "2 classes then, 2 classes of 9 images now (new class 'c'; no class 'b')"
    )
    assert data.difference(("a", "b"), (4, 5)) == "2 classes then, 2 classes of 9 images now (other images)"


def test_many_changed_classes_are_named_in_part() -> None:
    classes = tuple("abcdefg")
    data = StudyDataset(spec=folder_spec(Path("images")), id="old", classes=classes, class_images=(2,) * 7)
    assert data.difference(classes, (3,) * 7).endswith("'e': 2, now 3; 2 classes more)")


def test_a_data_set_with_a_written_out_mapping_of_classes_can_be_kept_in_memory(tmp_path: Path) -> None:
    spec = DatasetSpec(source="coco", path="images", annotations="boxes.json", classes={"cat": "animal"})
    data = StudyDataset(spec=spec, id="one", classes=("animal",), class_images=(4,))
    assert {data: "kept"}[replace(data, spec=spec.model_copy())] == "kept"
    with pytest.raises(DatasetChangedError, match="1 class of 4 images then"):
        dataset_of(data, 8, tmp_path)


def replaced_in_place(path: Path) -> None:
    """Other bytes, of the same size and the same time."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-20] ^= 255
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_bytes_are_read_again_only_once_a_size_or_a_time_has_changed(root: Path) -> None:
    data, often = first_read(root), ChangeCheck(listing_fraction=math.inf)
    often.require_unchanged(data, root.parent / "cache")
    replaced_in_place(root / "a" / "0000.png")
    often.require_unchanged(data, root.parent / "cache")
    os.utime(root / "a" / "0000.png")
    with pytest.raises(DatasetChangedError, match="other images"):
        often.require_unchanged(data, root.parent / "cache")


def test_a_change_is_noticed_before_each_task_and_stays_one(root: Path) -> None:
    data, often = first_read(root), ChangeCheck(listing_fraction=math.inf)
    often.require_unchanged(data, root.parent / "cache")
    (root / "a" / "more.png").write_bytes(png(100))
    for _ in range(2):
        with pytest.raises(DatasetChangedError, match="'a': 4, now 5"):
            often.require_unchanged(data, root.parent / "cache")
    (root / "a" / "more.png").unlink()
    often.require_unchanged(data, root.parent / "cache")


def test_files_are_listed_for_no_more_than_the_given_fraction_of_the_time(root: Path) -> None:
    data, once = first_read(root), ChangeCheck(listing_fraction=0.0)
    once.require_unchanged(data, root.parent / "cache")
    (root / "a" / "more.png").write_bytes(png(100))
    once.require_unchanged(data, root.parent / "cache")


def test_images_that_change_between_hashing_and_decoding_are_not_cached(root: Path) -> None:
    spec, cache_dir = folder_spec(root), root.parent / "cache"
    listing = list_samples(spec)
    content = read_content(listing, cache_dir)
    (root / "b" / "0005.png").write_bytes(png(100))
    with pytest.raises(DatasetChangedError, match=r"b/0005\.png changed while the images were read"):
        decode_content(spec, listing.photos, content, side_px=8, cache_dir=cache_dir, cache_limit_bytes=10**9)
    assert not list((cache_dir / "images").glob("*/images.npy"))
