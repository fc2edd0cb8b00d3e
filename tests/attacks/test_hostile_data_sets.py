"""Data sets whose names cannot be kept, and files that grow without bounds, are refused by name."""

import json
import tracemalloc
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


def test_a_label_that_a_file_holds_once_for_many_rows_is_once_in_memory(tmp_path: Path) -> None:
    labels = pa.DictionaryArray.from_arrays([0, 1] * 512, [name * 2**20 for name in "ab"])
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"image": [b"x"] * 1024, "label": labels}), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    listing = parquet.list_samples(DatasetSpec(source="parquet", path=str(path)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(listing.samples) == 1024
    assert peak_bytes < 2**26


@pytest.mark.parametrize("in_struct", [True, False])
def test_an_image_that_a_file_holds_once_for_many_rows_is_once_in_memory(in_struct: bool, tmp_path: Path) -> None:
    content = b"\0" * 2**20
    images: pa.Array = pa.DictionaryArray.from_arrays([0] * 512, [content])
    if in_struct:
        images = pa.StructArray.from_arrays([images], ["bytes"])
    path = tmp_path / "bomb.parquet"
    table = pa.table({"image": images, "label": ["a", "b"] * 256})
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=2**22, store_schema=False)
    assert path.stat().st_size < 200_000
    before = pa.total_allocated_bytes()
    photo = parquet.list_samples(DatasetSpec(source="parquet", path=str(path))).photos[100]
    assert photo.read() == content
    assert pa.total_allocated_bytes() - before < 2**26


def test_a_parquet_file_of_too_many_rows_is_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_MOST_ROWS", 3)
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({"image": [b"x"] * 4, "label": ["a", "b"] * 2}), path)
    with pytest.raises(DatasetFormatError, match="has 4 rows, and at most 3 are read"):
        check_dataset(DatasetSpec(source="parquet", path=str(path)))
