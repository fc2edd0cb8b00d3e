"""The test split: load_dataset never opens it, and load_test_split has all of it and nothing else."""

import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageStat

from search.contract.dataset import DatasetSpec
from tests.unit.data_folders import encode, folder_spec, picture, png, write_classes
from tests.unit.test_data_coco import coco_spec, write_coco
from tests.unit.test_data_parquet import parquet_spec, write
from tests.unit.test_data_torchvision import torchvision_spec, write_mnist
from workers.data import (
    ClassError,
    Dataset,
    DatasetFormatError,
    TestSplit,
    check_dataset,
    inspect,
    load_dataset,
    load_test_split,
)


def load(spec: DatasetSpec, tmp_path: Path) -> Dataset:
    return load_dataset(spec, side_px=16, cache_dir=tmp_path / "cache")


def load_test(spec: DatasetSpec, tmp_path: Path) -> TestSplit:
    return load_test_split(spec, side_px=16, cache_dir=tmp_path / "cache")


def in_parts(root: Path, *, validation: bool = False) -> Path:
    """train/ of 10 a class, test/ of 3 and 4, and val/ of 2 where it is asked for."""
    write_classes(root / "train", {"cat": 10, "dog": 10})
    write_classes(root / "test", {"cat": 3, "dog": 4}, first=100)
    if validation:
        write_classes(root / "val", {"cat": 2, "dog": 2}, first=200)
    return root


def spoil(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        path.write_bytes(b"no image")


def counts(labels: np.ndarray) -> list[int]:
    return [int(np.sum(labels == label)) for label in (0, 1)]


def test_a_fraction_of_each_class_is_held_out_and_the_rest_is_split_as_before(tmp_path: Path) -> None:
    spec = folder_spec(write_classes(tmp_path / "data", {"cat": 20, "dog": 40}), test_fraction=0.1)
    dataset, test = load(spec, tmp_path), load_test(spec, tmp_path)
    assert counts(test.labels) == [2, 4]
    assert counts(dataset.labels) == [18, 36]
    assert counts(dataset.labels[dataset.splits.validation]) == [4, 7]
    assert test.classes == dataset.classes
    seen = {image.tobytes() for image in dataset.images}
    assert not seen & {image.tobytes() for image in test.images}
    whole = load(folder_spec(tmp_path / "data"), tmp_path)
    assert {image.tobytes() for image in whole.images} == seen | {image.tobytes() for image in test.images}


def test_copies_of_a_test_image_are_test_images(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 12, "dog": 12})
    for path in list(root.rglob("*.png")):
        path.with_suffix(".copy.png").write_bytes(path.read_bytes())
    spec = folder_spec(root, test_fraction=0.25)
    dataset, test = load(spec, tmp_path), load_test(spec, tmp_path)
    assert counts(test.labels) == [6, 6]
    assert not {image.tobytes() for image in dataset.images} & {image.tobytes() for image in test.images}


def test_crops_of_one_photo_are_on_one_side(tmp_path: Path) -> None:
    photos = {f"{number}.png": picture(number) for number in range(20)}
    boxes = [
        (name, "can" if number % 2 else "bag", [left, 3, 6, 6]) for number, name in enumerate(photos) for left in (1, 9)
    ]
    write_coco(tmp_path, photos, boxes)
    spec = coco_spec(tmp_path, test_fraction=0.2)
    assert counts(load_test(spec, tmp_path).labels) == [4, 4]
    assert counts(load(spec, tmp_path).labels) == [16, 16]


def test_where_validation_is_given_test_is_taken_from_training(tmp_path: Path) -> None:
    write_classes(tmp_path / "data" / "train", {"cat": 20, "dog": 20})
    write_classes(tmp_path / "data" / "val", {"cat": 5, "dog": 6}, first=100)
    spec = folder_spec(tmp_path / "data", test_fraction=0.1)
    dataset, test = load(spec, tmp_path), load_test(spec, tmp_path)
    assert counts(dataset.labels[dataset.splits.validation]) == [5, 6]
    assert counts(dataset.labels[dataset.splits.full_train]) == [18, 18]
    assert counts(test.labels) == [2, 2]


def test_a_smaller_subset_has_the_same_test_and_validation_images(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 20, "dog": 20})
    whole, part = (folder_spec(root, test_fraction=0.2, subset_fraction=fraction) for fraction in (1.0, 0.25))
    assert load_test(whole, tmp_path).id == load_test(part, tmp_path).id
    larger, smaller = load(whole, tmp_path).splits, load(part, tmp_path).splits
    assert np.array_equal(larger.validation, smaller.validation)
    assert set(smaller.train) < set(larger.train)


def test_a_class_too_small_gives_no_test_image(tmp_path: Path) -> None:
    spec = folder_spec(write_classes(tmp_path / "data", {"cat": 2, "dog": 20}), test_fraction=0.5)
    assert counts(load_test(spec, tmp_path).labels) == [0, 10]
    assert counts(load(spec, tmp_path).labels) == [2, 10]


@pytest.mark.parametrize("validation", [False, True])
def test_a_test_folder_is_the_test_split_and_validation_does_not_come_from_it(tmp_path: Path, validation: bool) -> None:
    spec = folder_spec(in_parts(tmp_path / "data", validation=validation), test_fraction=0.15)
    dataset, test = load(spec, tmp_path), load_test(spec, tmp_path)
    assert counts(test.labels) == [3, 4]
    assert counts(dataset.labels[dataset.splits.validation]) == [2, 2]
    assert counts(dataset.labels[dataset.splits.full_train]) == ([10, 10] if validation else [8, 8])


def test_without_a_test_split_a_test_folder_serves_as_validation(tmp_path: Path) -> None:
    spec = folder_spec(in_parts(tmp_path / "data"), test_fraction=0)
    dataset = load(spec, tmp_path)
    assert counts(dataset.labels[dataset.splits.validation]) == [3, 4]
    assert counts(dataset.labels[dataset.splits.full_train]) == [10, 10]
    assert len(load_test(spec, tmp_path).labels) == 0


def test_images_of_a_test_folder_may_be_unreadable_until_they_are_scored(tmp_path: Path) -> None:
    spec = folder_spec(in_parts(tmp_path / "data"), test_fraction=0.15)
    before, report, overview = load(spec, tmp_path), check_dataset(spec), inspect(spec)
    spoil(tmp_path / "data" / "test")
    after = load_dataset(spec, side_px=16, cache_dir=tmp_path / "empty cache")
    assert (after.id, after.skipped) == (before.id, ())
    assert np.array_equal(after.images, before.images)
    assert np.array_equal(after.splits.validation, before.splits.validation)
    assert (check_dataset(spec), inspect(spec)) == (report, overview)
    (tmp_path / "data" / "test" / "cat" / "0100.png").write_bytes(png(300))
    test = load_test(spec, tmp_path)
    assert counts(test.labels) == [1, 0]
    assert len(test.skipped) == 6
    assert test.skipped[0].name.startswith("test/")


def test_images_held_out_by_fraction_are_not_decoded_by_the_search(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 20, "dog": 20})
    for path in root.rglob("*.png"):
        path.write_bytes(b"no image" + path.name.encode())
    spec = folder_spec(root, test_fraction=0.5)
    assert len(check_dataset(spec).skipped) == 20
    assert len(load_test(spec, tmp_path).skipped) == 20


def test_a_test_image_that_was_trained_on_is_left_out_by_name(tmp_path: Path) -> None:
    root = in_parts(tmp_path / "data", validation=True)
    (root / "test" / "cat" / "a.png").write_bytes((root / "train" / "cat" / "0000.png").read_bytes())
    (root / "test" / "cat" / "b.png").write_bytes((root / "val" / "dog" / "0202.png").read_bytes())
    test = load_test(folder_spec(root, test_fraction=0.15), tmp_path)
    assert counts(test.labels) == [3, 4]
    assert [skipped.name for skipped in test.skipped] == ["test/cat/a.png", "test/cat/b.png"]
    assert "training or validation" in test.skipped[0].reason


def test_a_class_that_only_the_test_split_has_is_an_error_when_it_is_scored(tmp_path: Path) -> None:
    root = in_parts(tmp_path / "data")
    write_classes(root / "test", {"bird": 2}, first=300)
    spec = folder_spec(root, test_fraction=0.15)
    assert load(spec, tmp_path).classes == ("cat", "dog")
    assert "training lacks, so that it cannot be scored: bird" in check_dataset(spec).problems[0]
    with pytest.raises(ClassError, match="lacks: bird"):
        load_test(spec, tmp_path)


def test_a_test_split_may_lack_a_class(tmp_path: Path) -> None:
    write_classes(tmp_path / "data" / "train", {"ant": 5, "cat": 5, "dog": 5})
    write_classes(tmp_path / "data" / "test", {"dog": 3, "cat": 1}, first=100)
    test = load_test(folder_spec(tmp_path / "data", test_fraction=0.15), tmp_path)
    assert np.bincount(test.labels).tolist() == [0, 1, 3]
    assert test.classes == ("ant", "cat", "dog")


def test_a_test_folder_without_classes_is_named_and_test_is_a_fraction(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data" / "train", {"cat": 10, "dog": 10}).parent
    (root / "test").mkdir()
    (root / "test" / "0.png").write_bytes(png(100))
    spec = folder_spec(root, test_fraction=0.2)
    assert [skipped.name for skipped in load(spec, tmp_path).skipped] == ["test"]
    assert counts(load_test(spec, tmp_path).labels) == [2, 2]


def test_a_list_of_files_is_the_test_split(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 5, "dog": 5})
    names = ["cat/0000.png", "./cat/0001.png", "", "dog/0009.png"]
    (tmp_path / "test.txt").write_text("\n".join(names))
    spec = folder_spec(root, test_fraction=0.15, test_list=str(tmp_path / "test.txt"))
    dataset, test = load(spec, tmp_path), load_test(spec, tmp_path)
    assert counts(test.labels) == [2, 1]
    assert counts(dataset.labels) == [3, 4]
    expected = np.asarray(picture(9).resize((16, 12), 2))
    assert np.array_equal(test.images[test.labels == 1][0][2:14], expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [("cat/0000.png\ncat/absent.png\n", r"1 files .*first is cat/absent.png"), ("\n", "names no image")],
)
def test_a_list_that_names_no_file_of_the_data_set_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    root = write_classes(tmp_path / "data", {"cat": 5, "dog": 5})
    (tmp_path / "test.txt").write_text(text)
    with pytest.raises(DatasetFormatError, match=message):
        inspect(folder_spec(root, test_fraction=0.15, test_list=str(tmp_path / "test.txt")))


def test_a_list_beside_a_test_folder_is_an_error(tmp_path: Path) -> None:
    root = in_parts(tmp_path / "data")
    (tmp_path / "test.txt").write_text("train/cat/0000.png")
    with pytest.raises(DatasetFormatError, match="not both"):
        inspect(folder_spec(root, test_fraction=0.15, test_list=str(tmp_path / "test.txt")))


@pytest.mark.parametrize("validation", [False, True])
def test_test_files_of_parquet_are_not_opened_before_they_are_scored(tmp_path: Path, validation: bool) -> None:
    data, names = tmp_path / "data", ["cat", "dog"]
    write(data / "train.parquet", [0, 1] * 10, names=names)
    write(data / "test.parquet", [0, 1, 1], names=names, first=100)
    if validation:
        write(data / "validation.parquet", [0, 1] * 4, names=names, first=200)
    spec = parquet_spec(data, test_fraction=0.15)
    assert counts(load_test(spec, tmp_path).labels) == [1, 2]
    (data / "test.parquet").write_bytes(b"no table")
    dataset = load(spec, tmp_path)
    assert counts(dataset.labels[dataset.splits.validation]) == ([4, 4] if validation else [2, 2])
    with pytest.raises(DatasetFormatError, match=r"test.parquet cannot be read"):
        load_test(spec, tmp_path)


def test_torchvisions_test_part_is_not_opened_before_it_is_scored(tmp_path: Path) -> None:
    write_mnist(tmp_path, "train", [3, 7] * 10, first=0)
    write_mnist(tmp_path, "t10k", [7, 7, 3], first=100)
    spec = torchvision_spec(tmp_path, "MNIST", test_fraction=0.15)
    assert counts(load_test(spec, tmp_path).labels) == [1, 2]
    for path in (tmp_path / "MNIST" / "raw").glob("t10k*"):
        path.write_bytes(b"no images")
    dataset = load(spec, tmp_path)
    assert counts(dataset.labels[dataset.splits.validation]) == [2, 2]
    assert counts(dataset.labels) == [10, 10]


def test_the_check_counts_test_images_and_shows_none_of_them(tmp_path: Path) -> None:
    grays = {"cat": range(10, 60, 10), "dog": range(100, 150, 10)}
    for name, levels in grays.items():
        (tmp_path / "data" / name).mkdir(parents=True)
        for level in levels:
            (tmp_path / "data" / name / f"{level}.png").write_bytes(encode(Image.new("L", (16, 16), level)))
    spec = folder_spec(tmp_path / "data", test_fraction=0.2)
    report = check_dataset(spec)
    assert [(one.images, one.train, one.validation, one.test) for one in report.classes] == [(5, 3, 1, 1)] * 2
    assert (report.id, report.photos) == (load(spec, tmp_path).id, 10)
    shown = {
        round(ImageStat.Stat(Image.open(io.BytesIO(b64decode(data)))).mean[0], -1)
        for one in report.classes
        for data in one.pictures
    }
    tested = set(load_test(spec, tmp_path).images[:, 0, 0, 0].tolist())
    assert not shown & tested
    assert shown | tested == {level for levels in grays.values() for level in levels}


def test_the_check_counts_a_test_folder(tmp_path: Path) -> None:
    report = check_dataset(folder_spec(in_parts(tmp_path / "data"), test_fraction=0.15))
    assert [(one.train, one.validation, one.test) for one in report.classes] == [(8, 2, 3), (8, 2, 4)]
    assert (report.ok, report.photos) == (True, 27)


def test_a_test_list_without_a_test_split_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="leave out one"):
        DatasetSpec(source="folder", path="photos", test_list="test.txt", test_fraction=0)
    spec = DatasetSpec(source="folder", path="photos", test_list="test.txt")
    assert spec.locations == {"path": "photos", "test_list": "test.txt"}
