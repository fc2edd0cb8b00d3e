"""check_dataset names everything that is wrong, crashes on nothing, and says what load_dataset would do."""

import dataclasses
import io
import json
import os
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image

from tests.unit.data_folders import encode, folder_spec, picture, png, write_classes
from tests.unit.test_data_decode import black_png
from workers.data import ClassError, DatasetNotFoundError, check_dataset, load_dataset


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 8
    return encode(picture(900), "JPEG", exif=exif)


def long_strip() -> bytes:
    return encode(picture(901, width_px=2000, height_px=1))


BROKEN = {
    "empty.jpg": (b"", "empty"),
    "text.jpg": (b"This is not an image", "not an image"),
    "page.png": (b"<!doctype html><html></html>", "not an image"),
    "truncated.jpg": (encode(picture(902, width_px=200, height_px=200), "JPEG")[:3000], "broken"),
    "truncated.png": (encode(picture(903, width_px=200, height_px=200))[:3000], "broken"),
    "header_only.gif": (b"GIF89a", "not an image"),
    "bomb.png": (black_png(30_000, 30_000, written_bytes=2**20), "too many pixels"),
    "large.png": (black_png(9_000, 9_000, written_bytes=2**20), "9000 x 9000 pixels"),
    "float.tiff": (encode(Image.new("F", (9, 9), 0.5), "TIFF"), "floating-point"),
    "int32.tiff": (encode(Image.new("I", (9, 9), 2**20), "TIFF"), "more than 16 bits"),
    "vector.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
    "icon.ico": (encode(picture(904), "ICO"), "not an image"),
}
ODD = {
    "palette.png": encode(picture(910).quantize(8)),
    "transparent.png": encode(picture(911).convert("RGBA")),
    "gray_alpha.png": encode(picture(912).convert("LA")),
    "bilevel.png": encode(picture(913).convert("1")),
    "sixteen.png": encode(Image.new("I;16", (9, 9), 40_000)),
    "cmyk.jpg": encode(picture(914).convert("CMYK"), "JPEG"),
    "gray.jpg": encode(picture(915).convert("L"), "JPEG"),
    "rotated.jpg": rotated(),
    "long.png": long_strip(),
    "tiny.bmp": encode(picture(916, width_px=1, height_px=1), "BMP"),
    "wrong_name.txt": png(917),
    "animation.gif": encode(picture(918).quantize(8), "GIF", save_all=True, append_images=[picture(919).quantize(8)]),
}


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """200 files: 176 plain ones, 12 kinds of broken ones and 12 kinds of odd ones."""
    root = write_classes(tmp_path / "data", {"cat": 88, "dog": 88})
    for name, (data, _) in BROKEN.items():
        (root / "cat" / name).write_bytes(data)
    for name, data in ODD.items():
        (root / "dog" / name).write_bytes(data)
    return root


def test_of_200_files_the_12_broken_ones_are_named_and_the_12_odd_ones_are_used(messy: Path) -> None:
    assert len([path for path in messy.rglob("*") if path.is_file()]) == 200
    report = check_dataset(folder_spec(messy))
    reasons = {skipped.name: skipped.reason for skipped in report.skipped}
    assert set(reasons) == {f"cat/{name}" for name in BROKEN}
    for name, (_, reason) in BROKEN.items():
        assert reason in reasons[f"cat/{name}"], name
    assert [one.images for one in report.classes] == [88, 100]
    assert (report.ok, report.loadable) == (False, True)
    assert report.problems == (
        f"12 files cannot be used; the first is {report.skipped[0].name}: {report.skipped[0].reason}",
    )


def test_loading_skips_what_the_check_names(messy: Path, tmp_path: Path) -> None:
    report = check_dataset(folder_spec(messy))
    dataset = load_dataset(folder_spec(messy), side_px=16, cache_dir=tmp_path / "cache")
    assert dataset.id == report.id
    assert set(dataset.skipped) == set(report.skipped)
    assert len(dataset.images) == 188


def test_a_clean_folder_is_ok(tmp_path: Path) -> None:
    report = check_dataset(folder_spec(write_classes(tmp_path, {"cat": 10, "dog": 30})))
    assert (report.ok, report.loadable, report.problems) == (True, True, ())
    assert report.imbalance == 3
    assert [(one.name, one.images, one.train, one.validation) for one in report.classes] == [
        ("cat", 10, 8, 2),
        ("dog", 30, 24, 6),
    ]
    assert report.kinds == {"PNG RGB": 40}
    assert report.width_px is not None
    assert report.height_px is not None
    assert (report.width_px.smallest, report.width_px.median, report.height_px.largest) == (24, 24, 18)


def test_a_report_is_plain_data_with_pictures_of_each_class(messy: Path) -> None:
    report = json.loads(json.dumps(dataclasses.asdict(check_dataset(folder_spec(messy)))))
    for one in report["classes"]:
        pictures = [Image.open(io.BytesIO(b64decode(data)), formats=["JPEG"]) for data in one["pictures"]]
        assert [picture.size for picture in pictures] == [(96, 96)] * 4


def test_duplicates_are_reported_and_one_in_two_classes_is_a_problem(tmp_path: Path) -> None:
    root = write_classes(tmp_path, {"cat": 5, "dog": 5})
    (root / "cat" / "again.png").write_bytes((root / "cat" / "0000.png").read_bytes())
    report = check_dataset(folder_spec(root))
    assert report.duplicates == (("cat/0000.png", "cat/again.png"),)
    assert (report.ok, report.conflicts) == (True, ())
    (root / "dog" / "again.png").write_bytes((root / "cat" / "0001.png").read_bytes())
    report = check_dataset(folder_spec(root))
    assert report.conflicts == (("cat/0001.png", "dog/again.png"),)
    assert "1 pictures are in several classes" in report.problems[0]


def test_a_training_image_in_the_given_validation_split_is_a_leak(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"cat": 5, "dog": 5})
    write_classes(tmp_path / "val", {"cat": 2, "dog": 2}, first=100)
    (tmp_path / "train" / "cat" / "copy.png").write_bytes((tmp_path / "val" / "cat" / "0100.png").read_bytes())
    report = check_dataset(folder_spec(tmp_path))
    assert report.leaks == ("train/cat/copy.png",)
    assert (report.ok, report.loadable) == (False, True)
    assert [one.train for one in report.classes] == [5, 5]


def test_a_class_that_is_too_small_is_a_problem_and_not_an_exception(tmp_path: Path) -> None:
    root = write_classes(tmp_path, {"cat": 5, "dog": 1, "none": 0})
    report = check_dataset(folder_spec(root))
    assert (report.ok, report.loadable, report.imbalance) == (False, False, None)
    assert "'dog' has 1, 'none' has 0" in report.problems[0]


def test_a_class_of_copies_of_one_photo_is_a_problem_that_loading_has_too(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 5, "dog": 1})
    (root / "dog" / "again.png").write_bytes((root / "dog" / "0005.png").read_bytes())
    report = check_dataset(folder_spec(root))
    assert not report.loadable
    with pytest.raises(ClassError) as error:
        load_dataset(folder_spec(root), side_px=8, cache_dir=tmp_path / "cache")
    assert report.problems == (str(error.value),)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    root = write_classes(tmp_path, {"cat": 5, "dog": 5})
    (root / "cat" / "0000.png").chmod(0)
    [skipped] = check_dataset(folder_spec(root)).skipped
    assert (skipped.name, skipped.reason) == ("cat/0000.png", "cannot be read: Permission denied")


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError):
        check_dataset(folder_spec(tmp_path / "absent"))
