"""DatasetSpec: which fields a source needs and takes, and what it opens."""

from typing import Any

import pytest
from pydantic import ValidationError

from search.contract.dataset import DatasetSpec

COMPLETE: dict[str, dict[str, Any]] = {
    "folder": {"path": "images"},
    "coco": {"path": "images", "annotations": "boxes.json", "classes": {"Can": "Metal", "Rope": None}, "margin": 0.1},
    "torchvision": {"path": "root", "name": "CIFAR10", "download": True},
    "parquet": {"path": "s3://bucket/rows.parquet", "image_column": "img"},
    "sklearn": {"name": "digits"},
}


def complaint(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        DatasetSpec.model_validate(fields)
    (detail,) = caught.value.errors()
    return detail["msg"]


@pytest.mark.parametrize("source", COMPLETE)
def test_each_source_is_the_same_after_json(source: str) -> None:
    spec = DatasetSpec.model_validate({"source": source, **COMPLETE[source]})
    assert DatasetSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ("folder", "path"),
        ("coco", "path"),
        ("coco", "annotations"),
        ("torchvision", "path"),
        ("torchvision", "name"),
        ("parquet", "path"),
    ],
)
def test_a_source_says_which_field_it_needs(source: str, field: str) -> None:
    fields = {key: value for key, value in COMPLETE[source].items() if key != field}
    assert f"source {source!r} needs {field} (" in complaint(source=source, **fields)


def test_a_field_of_another_source_is_a_mistake_that_names_its_owner() -> None:
    assert "source 'sklearn' takes no path: it belongs to folder and coco and torchvision and parquet" in complaint(
        source="sklearn", path="images"
    )


def test_all_that_does_not_fit_the_source_is_told_at_once() -> None:
    message = complaint(source="folder", annotations="boxes.json", min_side_px=4)
    assert "needs path" in message
    assert "takes no annotations: it belongs to coco" in message
    assert "takes no min_side_px" in message


def test_scikit_learn_has_one_set_of_images() -> None:
    assert "'digits' only, got 'iris'" in complaint(source="sklearn", name="iris")


@pytest.mark.parametrize("path", ["", "a\x00b", "x" * 5000])
def test_a_path_that_no_disk_could_have_is_rejected(path: str) -> None:
    complaint(source="folder", path=path)


@pytest.mark.parametrize(
    ("classes", "locations"),
    [
        (None, ("images", "boxes.json")),
        ("classes.csv", ("images", "boxes.json", "classes.csv")),
        ({"Can": "Metal"}, ("images", "boxes.json")),
    ],
)
def test_locations_are_all_that_is_opened(classes: Any, locations: tuple[str, ...]) -> None:
    spec = DatasetSpec(source="coco", path="images", annotations="boxes.json", classes=classes)
    assert tuple(spec.locations.values()) == locations
