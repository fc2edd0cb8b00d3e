"""DatasetSpec takes the fields of its source and no others, and says which are missing or wrong."""

from typing import Any

import pytest
from pydantic import ValidationError

from search.contract.dataset import DatasetSpec

VALID = [
    {"source": "folder", "path": "photos"},
    {"source": "folder", "path": "s3://bucket/photos", "resize": "crop", "decoder": "dali"},
    {"source": "sklearn"},
    {"source": "sklearn", "name": "digits"},
    {"source": "coco", "path": "photos", "annotations": "boxes.json"},
    {"source": "coco", "path": "p", "annotations": "b.json", "classes": {"can": "metal", "shoe": None}, "margin": 0.1},
    {"source": "coco", "path": "p", "annotations": "b.json", "classes": "classes.csv", "min_side_px": 32},
    {"source": "torchvision", "path": "root", "name": "CIFAR10", "download": True},
    {"source": "parquet", "path": "data", "label_column": "fine_label"},
]


@pytest.mark.parametrize("fields", VALID, ids=str)
def test_a_spec_survives_json(fields: dict[str, Any]) -> None:
    spec = DatasetSpec.model_validate(fields)
    assert DatasetSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": "folder"}, "'folder' needs path"),
        ({"source": "coco", "path": "photos"}, "'coco' needs annotations"),
        ({"source": "torchvision", "path": "root"}, "'torchvision' needs name"),
        ({"source": "sklearn", "path": "photos"}, "'sklearn' takes no path: it belongs to folder and coco"),
        ({"source": "sklearn", "name": "iris"}, "'digits' only, got 'iris'"),
        ({"source": "folder", "path": "p", "annotations": "b.json"}, "takes no annotations: it belongs to coco"),
        ({"source": "folder", "path": "p", "margin": 0.5}, "takes no margin"),
        ({"source": "coco", "path": "p", "annotations": "b", "label_column": "y"}, "belongs to parquet"),
        ({"source": "folder", "path": "p\0q"}, "pattern"),
        ({"source": "folder", "path": ""}, "at least 1"),
        ({"source": "folder", "path": "p", "resize": "squash"}, "'pad', 'stretch' or 'crop'"),
        ({"source": "folder", "path": "p", "decoder": "opencv"}, "'pillow' or 'dali'"),
        ({"source": "folder", "path": "p", "shuffle": True}, "Extra inputs"),
        ({"source": "kaggle", "path": "p"}, "'folder'"),
    ],
    ids=str,
)
def test_a_mistake_is_told_in_words(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        DatasetSpec.model_validate(fields)
    assert message in str(error.value)


def test_the_locations_are_all_that_is_read() -> None:
    spec = DatasetSpec(source="coco", path="photos", annotations="boxes.json", classes="classes.csv")
    assert spec.locations == {"path": "photos", "annotations": "boxes.json", "classes": "classes.csv"}
    mapped = DatasetSpec(source="coco", path="photos", annotations="boxes.json", classes={"can": "metal"})
    assert mapped.locations == {"path": "photos", "annotations": "boxes.json"}
    assert DatasetSpec(source="sklearn").locations == {}
