"""Source ``parquet``: images and labels as the Hugging Face hub stores them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from search.contract.dataset import DatasetSpec
from tests.unit.data_folders import picture, png
from workers.data import Dataset, DatasetFormatError, DatasetNotFoundError, inspect, load_dataset


def write(
    path: Path,
    labels: Sequence[object],
    *,
    images: Sequence[bytes | None] | None = None,
    names: Sequence[str] | None = None,
    first: int = 0,
    label_type: pa.DataType | None = None,
    row_group_size: int = 3,
) -> None:
    """A file like the hub's: ``image`` is struct<bytes, path>, ``label`` a ClassLabel where it has names."""
    encoded = images or [png(first + index) for index in range(len(labels))]
    structs = [data if data is None else {"bytes": data, "path": f"{index}.png"} for index, data in enumerate(encoded)]
    image_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(structs, image_type), "label": pa.array(labels, label_type)})
    if names:
        features = {"label": {"names": names, "_type": "ClassLabel"}, "image": {"_type": "Image"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=row_group_size)


def parquet_spec(path: Path, **fields: Any) -> DatasetSpec:
    return DatasetSpec.model_validate({"source": "parquet", "path": str(path), "test_fraction": 0, **fields})


def load(spec: DatasetSpec, tmp_path: Path) -> Dataset:
    return load_dataset(spec.model_copy(update={"resize": "stretch"}), side_px=8, cache_dir=tmp_path / "cache")


def test_images_and_labels_of_the_hub_are_read_with_their_names(tmp_path: Path) -> None:
    write(tmp_path / "data" / "all-00000-of-00001.parquet", [0, 1] * 5, names=["cat", "dog"])
    dataset = load(parquet_spec(tmp_path / "data"), tmp_path)
    assert dataset.classes == ("cat", "dog")
    expected = {np.asarray(picture(n).resize((8, 8), 2)).tobytes(): n % 2 for n in range(10)}
    assert {image.tobytes(): label for image, label in zip(dataset.images, dataset.labels, strict=True)} == expected


def test_train_and_validation_files_are_the_split_and_test_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train-00000-of-00002.parquet", [0, 1] * 3, names=["cat", "dog"])
    write(tmp_path / "data" / "train-00001-of-00002.parquet", [0, 1] * 2, names=["cat", "dog"], first=20)
    write(tmp_path / "data" / "validation-00000-of-00001.parquet", [0, 1], names=["cat", "dog"], first=40)
    write(tmp_path / "data" / "test-00000-of-00001.parquet", [0, 1], names=["cat", "dog"], first=60)
    dataset = load(parquet_spec(tmp_path / "data"), tmp_path)
    assert (len(dataset.splits.full_train), len(dataset.splits.validation)) == (10, 2)


def test_one_file_may_be_given_and_names_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path / "one.parquet", [2, 10, 2, 10])
    assert inspect(parquet_spec(tmp_path / "one.parquet")).classes == ("2", "10")
    write(tmp_path / "text.parquet", ["dog", "cat", "dog", "cat"])
    assert inspect(parquet_spec(tmp_path / "text.parquet")).classes == ("cat", "dog")


def test_images_may_be_plain_binary_under_other_names_of_columns(tmp_path: Path) -> None:
    table = pa.table({"img": [png(number) for number in range(6)], "kind": ["a", "b"] * 3})
    pq.write_table(table, tmp_path / "one.parquet")
    dataset = load(parquet_spec(tmp_path / "one.parquet", image_column="img", label_column="kind"), tmp_path)
    assert len(dataset.images) == 6


def test_rows_without_label_without_image_and_with_a_broken_image_are_skipped_and_named(tmp_path: Path) -> None:
    images: list[bytes | None] = [png(number) for number in range(8)]
    images[4:6] = [None, b"broken"]
    write(tmp_path / "one.parquet", [0, 1, 0, 1, 0, 1, -1, None], images=images, names=["cat", "dog"])
    skipped = load(parquet_spec(tmp_path / "one.parquet"), tmp_path).skipped
    assert {(one.name, one.reason.split(",")[0]) for one in skipped} == {
        ("one.parquet, row 6", "no label"),
        ("one.parquet, row 7", "no label"),
        ("one.parquet, row 4", "cannot be read: the row holds no bytes"),
        ("one.parquet, row 5", "not an image"),
    }


def test_what_is_not_such_a_table_is_an_error_that_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(DatasetFormatError, match=r"bad\.parquet cannot be read as Parquet"):
        inspect(parquet_spec(tmp_path / "bad.parquet"))
    write(tmp_path / "good.parquet", [0, 1])
    with pytest.raises(DatasetFormatError, match="no column 'fine_label'; it has image, label"):
        inspect(parquet_spec(tmp_path / "good.parquet", label_column="fine_label"))
    with pytest.raises(DatasetFormatError, match="not encoded images"):
        inspect(parquet_spec(tmp_path / "good.parquet", image_column="label", label_column="image"))
    write(tmp_path / "floats.parquet", [0.5, 1.5])
    with pytest.raises(DatasetFormatError, match="holds double"):
        inspect(parquet_spec(tmp_path / "floats.parquet"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetNotFoundError, match=r"no \.parquet file"):
        inspect(parquet_spec(tmp_path / "empty"))
