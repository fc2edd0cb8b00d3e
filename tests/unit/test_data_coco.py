"""Source ``coco``: crops of boxes, grouped by photo, clipped, dropped and counted."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search.contract.dataset import DatasetSpec
from tests.unit.data_folders import encode, picture
from workers.data import ClassError, Dataset, DatasetFormatError, check_dataset, inspect, load_dataset
from workers.data.listing import Sample
from workers.data.sources import list_samples

DATA = Path(__file__).parents[2] / "../shared/data"
TRASHNET = DATA / "trashnet-coco"
TACO = DATA / "taco"


def write_coco(
    root: Path, photos: dict[str, Image.Image], boxes: Sequence[tuple[str, str, Sequence[float]]], **extra: Any
) -> Path:
    """Photos by file name, and boxes of (file name, category, [x, y, width, height]). Returns the annotations."""
    images = root / "images"
    images.mkdir(parents=True)
    for name, photo in photos.items():
        (images / name).write_bytes(encode(photo))
    categories = sorted({category for _, category, _ in boxes})
    document = {
        "images": [
            {"id": name, "file_name": name, "width": photo.width, "height": photo.height}
            for name, photo in photos.items()
        ],
        "annotations": [
            {"id": index, "image_id": name, "category_id": categories.index(category), "bbox": box}
            for index, (name, category, box) in enumerate(boxes)
        ],
        "categories": [{"id": index, "name": name} for index, name in enumerate(categories)],
    }
    (root / "boxes.json").write_text(json.dumps(document | extra))
    return root / "boxes.json"


def coco_spec(root: Path, **fields: Any) -> DatasetSpec:
    places = {"path": str(root / "images"), "annotations": str(root / "boxes.json")}
    return DatasetSpec.model_validate({"source": "coco", **places, "test_fraction": 0, **fields})


def ten_photos(root: Path, **extra: Any) -> Path:
    photos = {f"{number}.png": picture(number) for number in range(10)}
    boxes = [(name, "can" if number % 2 else "bag", [2, 3, 12, 10]) for number, name in enumerate(photos)]
    return write_coco(root, photos, boxes, **extra)


def load(spec: DatasetSpec, tmp_path: Path, side_px: int = 12) -> Dataset:
    return load_dataset(spec, side_px=side_px, cache_dir=tmp_path / "cache")


def edges_of(sample: Sample) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the box that a sample is cut out of."""
    assert sample.box is not None
    return sample.box.left, sample.box.top, sample.box.right, sample.box.bottom


def test_a_crop_has_the_pixels_of_its_box(tmp_path: Path) -> None:
    ten_photos(tmp_path)
    dataset = load(coco_spec(tmp_path, resize="crop"), tmp_path, side_px=10)
    expected = {np.asarray(picture(number).crop((3, 3, 13, 13))).tobytes() for number in range(10)}
    assert dataset.classes == ("bag", "can")
    assert {image.tobytes() for image in dataset.images} == expected


def test_boxes_are_clipped_to_their_image_and_counted_from_half_a_pixel_on(tmp_path: Path) -> None:
    photos = {f"{number}.png": picture(number) for number in range(4)}
    sticking_out: list[list[float]] = [[-3, 0, 10, 10], [0, 0, 24.4, 18], [0, 0, 30, 18], [0, -0.5, 24, 10]]
    boxes = [(name, "can" if number % 2 else "bag", sticking_out[number]) for number, name in enumerate(photos)]
    write_coco(tmp_path, photos, boxes)
    listing = list_samples(coco_spec(tmp_path))
    edges = [edges_of(sample) for sample in listing.samples]
    assert edges == [(0, 0, 7, 10), (0, 0, 24, 18), (0, 0, 24, 18), (0, 0, 24, 10)]
    assert listing.boxes is not None
    assert listing.boxes.clipped == 3


def test_a_margin_widens_the_box_within_its_image(tmp_path: Path) -> None:
    ten_photos(tmp_path)
    sample = list_samples(coco_spec(tmp_path, margin=0.5)).samples[0]
    assert edges_of(sample) == (0, 0, 20, 18)


def test_small_boxes_crowds_and_strays_are_dropped_and_counted(tmp_path: Path) -> None:
    ten_photos(tmp_path)
    document = json.loads((tmp_path / "boxes.json").read_text())
    document["annotations"][0]["bbox"] = [0, 0, 3, 10]
    document["annotations"][1]["iscrowd"] = 1
    document["annotations"][2]["image_id"] = "nowhere"
    document["annotations"][3]["category_id"] = 77
    document["annotations"][4]["bbox"] = [100, 100, 10, 10]
    (tmp_path / "boxes.json").write_text(json.dumps(document))
    listing = list_samples(coco_spec(tmp_path, min_side_px=4))
    assert len(listing.samples) == 5
    assert listing.boxes is not None
    assert listing.boxes.dropped == {
        "a side under 4 px": 2,
        "a crowd": 1,
        "of an image that is not listed": 1,
        "of a category that is not listed": 1,
    }


@pytest.mark.parametrize("as_file", [True, False], ids=["csv", "mapping"])
def test_categories_become_classes_and_an_empty_one_is_dropped(tmp_path: Path, as_file: bool) -> None:
    photos = {f"{number}.png": picture(number) for number in range(12)}
    categories = ["can", "tin", "bag", "shoe"]
    write_coco(tmp_path, photos, [(name, categories[int(name[:-4]) % 4], [0, 0, 10, 10]) for name in photos])
    mapping = {"can": "metal", "tin": "metal", "bag": "plastic", "shoe": None}
    (tmp_path / "classes.csv").write_text("can,metal\ntin,metal\nbag,plastic\nshoe,\n")
    overview = inspect(coco_spec(tmp_path, classes=str(tmp_path / "classes.csv") if as_file else mapping))
    assert (overview.classes, overview.counts) == (("metal", "plastic"), (6, 3))


def test_a_category_without_a_word_on_its_class_and_an_unknown_one_are_errors_that_name_them(tmp_path: Path) -> None:
    ten_photos(tmp_path)
    with pytest.raises(DatasetFormatError, match="what becomes of: can"):
        inspect(coco_spec(tmp_path, classes={"bag": "plastic"}))
    with pytest.raises(DatasetFormatError, match="do not have: cup"):
        inspect(coco_spec(tmp_path, classes={"bag": "plastic", "can": "metal", "cup": "paper"}))


def test_crops_of_one_photo_are_on_one_side_of_the_split(tmp_path: Path) -> None:
    photos = {f"{number}.png": picture(number) for number in range(12)}
    boxes = [(name, label, [x, 0, 8, 8]) for name in photos for x, label in ((0, "bag"), (8, "can"), (16, "bag"))]
    write_coco(tmp_path, photos, boxes)
    spec = coco_spec(tmp_path, resize="stretch", validation_fraction=0.3)
    dataset = load(spec, tmp_path, side_px=8)
    photo_of = {
        np.asarray(photo.crop((x, 0, x + 8, 8))).tobytes(): name for name, photo in photos.items() for x in (0, 8, 16)
    }
    sides = [
        {photo_of[dataset.images[row].tobytes()] for row in rows}
        for rows in (dataset.splits.full_train, dataset.splits.validation)
    ]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == set(photos)


def test_boxes_of_a_rotated_photo_are_found_in_the_frame_that_they_were_drawn_in(tmp_path: Path) -> None:
    marked = picture(1, width_px=30, height_px=20)
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = marked.transpose(Image.Transpose.ROTATE_270)
    ten_photos(tmp_path)
    (tmp_path / "images" / "0.png").write_bytes(encode(marked, exif=exif))
    document = json.loads((tmp_path / "boxes.json").read_text())
    crops = {}
    for frame in (marked.size, upright.size):
        document["images"][0] |= {"width": frame[0], "height": frame[1]}
        box = [4, 2, 8, 8] if frame == marked.size else [20 - 2 - 8, 4, 8, 8]
        document["annotations"][0]["bbox"] = box
        (tmp_path / "boxes.json").write_text(json.dumps(document))
        images = load(coco_spec(tmp_path, resize="stretch"), tmp_path, side_px=8).images
        crops[frame] = {image.tobytes() for image in images}
    expected = np.asarray(upright.crop((10, 4, 18, 12))).tobytes()
    assert all(expected in images for images in crops.values())


def test_a_photo_of_another_size_than_annotated_is_skipped_and_named(tmp_path: Path) -> None:
    ten_photos(tmp_path)
    (tmp_path / "images" / "0.png").write_bytes(encode(picture(0, width_px=50, height_px=40)))
    [skipped] = load(coco_spec(tmp_path), tmp_path).skipped
    assert (skipped.name, skipped.reason[:34]) == ("0.png", "annotated as 24 x 18 pixels but ha")


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../secret.png", "..%2fsecret.png", "gone.png"])
def test_a_file_name_that_is_not_in_the_folder_is_missing_wherever_it_points(tmp_path: Path, name: str) -> None:
    ten_photos(tmp_path)
    (tmp_path / "secret.png").write_bytes(encode(picture(77)))
    document = json.loads((tmp_path / "boxes.json").read_text())
    document["images"][0]["file_name"] = name
    (tmp_path / "boxes.json").write_text(json.dumps(document))
    listing = list_samples(coco_spec(tmp_path))
    assert len(listing.samples) == 9
    assert [(skipped.name, skipped.reason[:7]) for skipped in listing.skipped] == [(name, "missing")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no COCO annotation file"),
        ("[]", "no COCO annotation file"),
        ("[" * 5000, "no COCO annotation file"),
        ('{"images": [{"id": 1, "file_name": "a", "width": 0, "height": 4}]}', r"images\.0\.width"),
        ('{"images": [], "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1]}]}', "bbox"),
        ('{"images": [], "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, NaN]}]}', "bbox"),
    ],
)
def test_annotations_that_are_not_coco_are_an_error_that_says_where(tmp_path: Path, text: str, message: str) -> None:
    ten_photos(tmp_path)
    (tmp_path / "boxes.json").write_text(text)
    with pytest.raises(DatasetFormatError, match=message):
        inspect(coco_spec(tmp_path))


def test_trashnet_gives_183_crops_in_4_classes_with_one_clipped_and_no_photo_on_both_sides(tmp_path: Path) -> None:
    if not TRASHNET.exists():
        pytest.skip("TrashNet's boxes are not at ../shared/data/trashnet-coco")
    spec = DatasetSpec(
        source="coco",
        path=str(TRASHNET / "images"),
        annotations=str(TRASHNET / "annotations.json"),
        resize="stretch",
        test_fraction=0.0,
    )
    dataset = load(spec, tmp_path, side_px=32)
    report = check_dataset(spec)
    assert dataset.images.shape == (183, 32, 32, 3)
    assert dataset.classes == ("glass", "metal", "plastic", "trash")
    assert report.boxes is not None
    assert (report.ok, report.photos, report.boxes.clipped, report.boxes.dropped) == (True, 182, 1, {})
    listing = list_samples(spec)
    twice = next(photo for photo in range(182) if sum(sample.photo == photo for sample in listing.samples) == 2)
    with Image.open(TRASHNET / "images" / listing.photos[twice].name) as photo:
        crops = [
            np.asarray(photo.crop(edges_of(sample)).resize((32, 32), Image.Resampling.BILINEAR))
            for sample in listing.samples
            if sample.photo == twice
        ]
    rows = [int(np.flatnonzero((dataset.images == crop).all(axis=(1, 2, 3)))[0]) for crop in crops]
    assert len({row in dataset.splits.validation for row in rows}) == 1


def test_taco_without_its_images_counts_every_missing_file_and_is_not_ok() -> None:
    if not TACO.exists():
        pytest.skip("TACO's annotations are not at ../shared/data/taco")
    spec = DatasetSpec(
        source="coco",
        path=str(TACO),
        annotations=str(TACO / "annotations.json"),
        classes=str(TACO / "classes_6.csv"),
        min_side_px=32,
    )
    report = check_dataset(spec)
    assert not report.ok
    assert not report.loadable
    assert len(report.skipped) == 1500
    assert {skipped.reason for skipped in report.skipped} == {"missing: no such file in the folder of images"}
    assert [one.name for one in report.classes] == ["Metal", "Paper", "Paperpack", "Plastic", "Plasticbag", "Styrofoam"]
    with pytest.raises(ClassError, match="1500 were skipped"):
        inspect(spec)


def test_taco_has_650_boxes_with_a_side_under_32_px_and_7_that_leave_their_image() -> None:
    if not TACO.exists():
        pytest.skip("TACO's annotations are not at ../shared/data/taco")
    spec = DatasetSpec(source="coco", path=str(TACO), annotations=str(TACO / "annotations.json"))
    boxes = list_samples(spec).boxes
    small_boxes = list_samples(spec.model_copy(update={"min_side_px": 32})).boxes
    assert boxes is not None
    assert small_boxes is not None
    assert boxes.clipped == 7
    assert small_boxes.dropped == {"a side under 32 px": 650}
