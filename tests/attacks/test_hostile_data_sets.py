"""Data sets whose names cannot be kept, and files that grow without bounds, are refused by name."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from search.contract.dataset import DatasetSpec
from workers.data import DatasetFormatError, check_dataset
from workers.data.sources import parquet


@pytest.mark.parametrize("name", ["", "  ", "a\0b"])
def test_a_category_without_a_name_that_can_be_kept_is_refused(name: str, tmp_path: Path) -> None:
    annotations = tmp_path / "annotations.json"
    document = {"images": [], "annotations": [], "categories": [{"id": 1, "name": name}]}
    annotations.write_text(json.dumps(document))
    spec = DatasetSpec(source="coco", path=str(tmp_path), annotations=str(annotations))
    with pytest.raises(DatasetFormatError, match=r"class 1 is called|categories\.0\.name"):
        check_dataset(spec)


def test_a_file_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    annotations = tmp_path / "annotations.json"
    image = {"id": 1, "file_name": "a\0.png", "width": 8, "height": 8}
    annotations.write_text(json.dumps({"images": [image], "annotations": [], "categories": []}))
    with pytest.raises(DatasetFormatError, match="file_name"):
        check_dataset(DatasetSpec(source="coco", path=str(tmp_path), annotations=str(annotations)))


@pytest.mark.parametrize("column", ["image", "label"])
def test_a_parquet_file_that_grows_in_memory_is_refused_before_it_is_read(
    column: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_MOST_GROUP_BYTES", 2**20)
    small = {"image": [b"x"] * 4, "label": ["a", "b"] * 2}
    large = {"image": [b"\0" * 2**19] * 4, "label": [letter * 2**19 for letter in "abcd"]}
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({**small, column: large[column]}), path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 10_000
    with pytest.raises(DatasetFormatError, match="row group 0 takes"):
        check_dataset(DatasetSpec(source="parquet", path=str(path)))
