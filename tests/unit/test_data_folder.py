"""Source ``folder``, and load_dataset and inspect on it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from search.contract.dataset import DatasetSpec
from tests.unit.data_folders import folder_spec, png, write_classes
from workers.data import ClassError, Dataset, DatasetNotFoundError, inspect, load_dataset, load_test_split
from workers.data.files import MAX_FILE_BYTES

TRASHNET = Path(__file__).parents[2] / "../shared/data/trashnet"


def load(spec: DatasetSpec, tmp_path: Path, side_px: int = 16) -> Dataset:
    return load_dataset(spec, side_px=side_px, cache_dir=tmp_path / "cache")


def reasons(dataset: Dataset) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in dataset.skipped}


def test_a_folder_of_class_folders_becomes_images_with_labels(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 5, "dog": 10})
    dataset = load(folder_spec(root), tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert dataset.images.shape == (15, 16, 16, 3)
    assert dataset.images.dtype == np.uint8
    assert np.bincount(dataset.labels).tolist() == [5, 10]
    assert dataset.labels.dtype == np.int64
    assert not dataset.skipped
    assert isinstance(dataset.images, np.memmap)


def test_inspect_counts_without_decoding(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 2, "dog": 3})
    for path in root.rglob("*.png"):
        path.write_bytes(b"not an image")
    overview = inspect(folder_spec(root))
    assert (overview.classes, overview.counts) == (("cat", "dog"), (2, 3))


def test_each_class_is_in_each_split_in_proportion(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 20, "dog": 40})
    dataset = load(folder_spec(root, validation_fraction=0.25, subset_fraction=0.4), tmp_path)
    splits = dataset.splits
    assert np.bincount(dataset.labels[splits.validation]).tolist() == [5, 10]
    assert np.bincount(dataset.labels[splits.full_train]).tolist() == [15, 30]
    assert np.bincount(dataset.labels[splits.train]).tolist() == [6, 12]


def test_the_id_the_images_and_the_splits_are_the_same_under_other_file_names(tmp_path: Path) -> None:
    first = write_classes(tmp_path / "first", {"cat": 6, "dog": 6})
    second = tmp_path / "second"
    for number, path in enumerate(sorted(first.rglob("*.png"), reverse=True)):
        (second / path.parent.name).mkdir(parents=True, exist_ok=True)
        (second / path.parent.name / f"renamed{number}.png").write_bytes(path.read_bytes())
    one, other = load(folder_spec(first), tmp_path), load(folder_spec(second), tmp_path)
    assert one.id == other.id
    assert np.array_equal(one.images, other.images)
    assert np.array_equal(one.splits.validation, other.splits.validation)


def test_the_id_changes_with_a_byte_and_with_a_label(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 4, "dog": 4})
    before = load(folder_spec(root), tmp_path).id
    (root / "cat" / "0000.png").rename(root / "dog" / "0000.png")
    relabelled = load(folder_spec(root), tmp_path).id
    (root / "dog" / "0000.png").write_bytes(png(99))
    assert len({before, relabelled, load(folder_spec(root), tmp_path).id}) == 3


def test_an_unreadable_image_is_skipped_and_named_with_the_reason(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 4, "dog": 4})
    (root / "cat" / "broken.jpg").write_bytes(b"not an image")
    dataset = load(folder_spec(root), tmp_path)
    assert len(dataset.images) == 8
    assert "not an image" in reasons(dataset)["cat/broken.jpg"]
    assert reasons(load(folder_spec(root), tmp_path)) == reasons(dataset), "from the cache too"


@pytest.mark.parametrize("count", [0, 1])
def test_a_class_with_too_few_images_is_an_error_that_names_it(tmp_path: Path, count: int) -> None:
    root = write_classes(tmp_path / "data", {"cat": 4, "dog": 4, "rare": count})
    with pytest.raises(ClassError, match=rf"'rare' has {count}.*Add images"):
        inspect(folder_spec(root))
    with pytest.raises(ClassError, match="'rare'"):
        load(folder_spec(root), tmp_path)


def test_a_class_left_with_one_readable_image_is_an_error_that_names_the_first_broken_file(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 4, "dog": 2})
    (root / "dog" / "0004.png").write_bytes(b"")
    with pytest.raises(ClassError, match=r"'dog' has 1.*dog/0004.png: the file is empty"):
        load(folder_spec(root), tmp_path)


def test_one_class_alone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ClassError, match="at least 2"):
        inspect(folder_spec(write_classes(tmp_path / "data", {"cat": 4})))


def test_a_path_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"nothing at .*absent"):
        inspect(folder_spec(tmp_path / "absent"))


def test_a_file_is_not_a_folder_of_classes(tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(b"zip")
    with pytest.raises(DatasetNotFoundError, match="give the folder"):
        inspect(folder_spec(tmp_path / "file.zip"))


def test_train_and_val_folders_are_the_split(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_classes(root / "train", {"cat": 6, "dog": 6})
    write_classes(root / "val", {"cat": 2, "dog": 3}, first=100)
    write_classes(root / "test", {"cat": 2, "dog": 2}, first=200)
    dataset = load(folder_spec(root), tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert np.bincount(dataset.labels[dataset.splits.validation]).tolist() == [2, 3]
    assert np.bincount(dataset.labels[dataset.splits.full_train]).tolist() == [6, 6]
    assert not dataset.skipped, "the test folder is left alone"


def test_a_training_image_that_is_in_the_given_validation_split_is_not_trained_on(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_classes(root / "train", {"cat": 6, "dog": 6})
    write_classes(root / "val", {"cat": 2, "dog": 3}, first=100)
    (root / "train" / "cat" / "copy.png").write_bytes((root / "val" / "cat" / "0100.png").read_bytes())
    dataset = load(folder_spec(root), tmp_path)
    assert "validation split" in reasons(dataset)["train/cat/copy.png"]
    assert len(dataset.splits.full_train) == 12


def test_a_class_that_the_given_validation_split_lacks_is_an_error(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_classes(root / "train", {"cat": 6, "dog": 6})
    write_classes(root / "val", {"cat": 2}, first=100)
    with pytest.raises(ClassError, match="validation split has no usable image of: dog"):
        load(folder_spec(root), tmp_path)


def test_files_outside_the_class_folders_are_named_and_hidden_ones_passed_over(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 3, "dog": 3})
    (root / "stray.png").write_bytes(png(50))
    (root / "cat" / ".DS_Store").write_bytes(b"hidden")
    assert reasons(load(folder_spec(root), tmp_path)) == {"stray.png": "in no class folder"}


def test_links_out_of_the_folder_pipes_and_huge_files_are_refused_by_name(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 3, "dog": 3})
    outside = tmp_path / "outside.png"
    outside.write_bytes(png(50))
    (root / "cat" / "link.png").symlink_to(outside)
    (root / "cat" / "dangling.png").symlink_to(root / "nothing")
    (root / "cat" / "folder").symlink_to(root / "dog")
    (root / "cat" / "within.png").symlink_to(root / "dog" / "0003.png")
    os.mkfifo(root / "cat" / "pipe.png")
    with (root / "cat" / "huge.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    dataset = load(folder_spec(root), tmp_path)
    assert len(dataset.images) == 7
    refused = reasons(dataset)
    assert "symbolic link out" in refused["cat/link.png"]
    assert "symbolic link to a folder" in refused["cat/folder"]
    assert "link to nothing" in refused["cat/dangling.png"]
    assert "not a file" in refused["cat/pipe.png"]
    assert "bytes" in refused["cat/huge.png"]


def test_a_file_name_that_is_not_unicode_does_no_harm(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 3, "dog": 3})
    with open(os.fsencode(root / "cat") + b"/\xff.png", "wb") as file:
        file.write(b"broken")
    [skipped] = load(folder_spec(root), tmp_path).skipped
    assert skipped.name.encode() == b"cat/\\udcff.png"


def test_a_url_is_read_through_fsspec(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for number in range(8):
        memory.pipe(f"/pets/{'cat' if number % 2 else 'dog'}/{number}.png", png(number))
    try:
        spec = DatasetSpec(source="folder", path="memory://pets", test_fraction=0)
        dataset = load(spec, tmp_path)
        assert dataset.classes == ("cat", "dog")
        assert len(dataset.images) == 8
        with pytest.raises(DatasetNotFoundError, match="memory://absent"):
            inspect(DatasetSpec(source="folder", path="memory://absent"))
    finally:
        memory.rm("/pets", recursive=True)


def test_digits_are_ready_to_use(tmp_path: Path) -> None:
    dataset = load(DatasetSpec(source="sklearn"), tmp_path, side_px=8)
    test = load_test_split(DatasetSpec(source="sklearn"), side_px=8, cache_dir=tmp_path / "cache")
    assert len(dataset.images) + len(test.images) == 1797
    assert abs(len(test.images) - 0.15 * 1797) < 6
    assert dataset.classes == tuple("0123456789")
    assert dataset.images.max() == 255


def test_loading_images_needs_no_torch() -> None:
    code = "import sys, workers.data; assert not {'torch', 'torchvision', 'ray'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_copy_in_another_class_never_crosses_the_split_of_trashnet(tmp_path: Path) -> None:
    if not TRASHNET.exists():
        pytest.skip("TrashNet is not at ../shared/data/trashnet")
    dataset = load(folder_spec(TRASHNET), tmp_path, side_px=32)
    assert len(dataset.images) == 2527
    _, picture_of = np.unique(dataset.images.reshape(2527, -1), axis=0, return_inverse=True)
    assert not set(picture_of[dataset.splits.validation]) & set(picture_of[dataset.splits.full_train])
