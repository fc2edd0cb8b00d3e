"""Source ``parquet``: tables with a column of encoded images and one of labels, as the Hugging Face hub stores them.

Images are ``struct<bytes, path>`` or binary; labels are whole numbers (named by the hub's ClassLabel where the file
says so), text or booleans. Files whose names begin with ``train`` and with ``val`` or ``test`` are given splits.
https://huggingface.co/docs/hub/datasets-image
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from workers.data.errors import DatasetFormatError, DatasetNotFoundError
from workers.data.files import File, list_tree
from workers.data.listing import Listing, Part, Photo, Sample, Split
from workers.data.sources.registry import SOURCES

if TYPE_CHECKING:
    from pyarrow import ChunkedArray, Schema
    from pyarrow.parquet import FileMetaData, ParquetFile

_Label = int | str | bool
_PREFIXES: Mapping[str, Part] = {"train": "train", "val": "validation", "test": "test"}
#: Row groups kept in memory: threads read rows in order, so that they straddle two.
_GROUPS_KEPT = 2
#: Of the two columns that are read, uncompressed.
_MOST_GROUP_BYTES = 2**30
_MOST_ROWS = 5_000_000


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A file's labels (None where a row has none), the rows of each of its row groups, and the names of its classes."""

    file: File
    split: Split | None
    labels: list[_Label | None]
    group_rows: list[int]
    names: list[str] | None


@SOURCES.register("parquet")
def list_samples(spec: DatasetSpec) -> Listing:
    """Rows without a label are skipped; classes without a row are not classes."""
    assert spec.path is not None
    files = [file for file in list_tree(spec.path).files.values() if file.name.endswith(".parquet")]
    if not files:
        raise DatasetNotFoundError(f"no .parquet file at {spec.path}: give such a file, or the folder that holds some")
    parts = _given_parts(files)
    if not parts:
        return _listing(files, {}, spec)
    test = [file for file in files if parts.get(file.name) == "test"]
    rest = [file for file in files if parts.get(file.name) in ("train", "validation")]
    splits: dict[str, Split] = {}
    if "validation" in parts.values():
        splits = {file.name: "validation" if parts[file.name] == "validation" else "train" for file in rest}
    listing = _listing(rest, splits, spec)
    return replace(listing, test=partial(_listing, test, {}, spec)) if test else listing


def _given_parts(files: Sequence[File]) -> dict[str, Part]:
    """By file name; empty where the names do not tell."""
    parts: dict[str, Part] = {}
    for file in files:
        base = file.name.rsplit("/", 1)[-1]
        part = next((part for prefix, part in _PREFIXES.items() if base.startswith(prefix)), None)
        if part:
            parts[file.name] = part
    return parts if {"train"} < set(parts.values()) else {}


def _listing(files: Sequence[File], splits: Mapping[str, Split], spec: DatasetSpec) -> Listing:
    tables = [_read_table(file, splits.get(file.name), spec) for file in files]
    classes = _class_names(tables)
    label_of = {name: label for label, name in enumerate(classes)}
    groups = _RowGroups(spec.image_column)
    photos: list[Photo] = []
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for table in tables:
        positions = [(group, row) for group, rows in enumerate(table.group_rows) for row in range(rows)]
        for number, (label, position) in enumerate(zip(table.labels, positions, strict=True)):
            name = f"{table.file.name}, row {number}"
            if label is None:
                skipped.append(Skipped(name=name, reason="no label"))
                continue
            stamp = table.file.stamp and f"{table.file.stamp} {number} {spec.image_column}"
            samples.append(Sample(photo=len(photos), label=label_of[_named(label, table)], split=table.split))
            photos.append(Photo(name=name, stamp=stamp, read=partial(groups.read, table.file, *position)))
    return Listing(classes=classes, photos=tuple(photos), samples=tuple(samples), skipped=tuple(skipped))


def _read_table(file: File, split: Split | None, spec: DatasetSpec) -> _Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open() as handle:
            parquet = pq.ParquetFile(handle)
            schema = parquet.schema_arrow
            _require_columns(file, schema, spec)
            _require_small(file, parquet.metadata, spec)
            labels = _labels(pq.ParquetFile(handle, read_dictionary=_texts_of(parquet, spec.label_column)), spec)
            group_rows = [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]
    except (OSError, pa.ArrowException) as error:
        raise DatasetFormatError(
            f"{file.name} cannot be read as Parquet ({error}): download or write it again"
        ) from error
    names = _names_on_the_hub(schema, spec.label_column)
    if names is not None:  # the hub writes -1 where a label is withheld
        labels = [label if isinstance(label, int) and 0 <= label < len(names) else None for label in labels]
    return _Table(file=file, split=split, labels=labels, group_rows=group_rows, names=names)


def _texts_of(parquet: "ParquetFile", column: str) -> list[str]:
    """The parts of a column that hold texts or bytes.

    They are read as dictionaries: a value that the file holds once is then once in memory, however many rows have it.
    """
    schema = parquet.schema
    leaves = (schema.column(index) for index in range(len(schema)))
    return [leaf.path for leaf in leaves if leaf.path.split(".")[0] == column and leaf.physical_type == "BYTE_ARRAY"]


def _labels(parquet: "ParquetFile", spec: DatasetSpec) -> list[_Label | None]:
    labels: list[_Label | None] = []
    for chunk in parquet.read(columns=[spec.label_column]).column(0).chunks:
        if not hasattr(chunk, "dictionary"):
            labels += chunk.to_pylist()
            continue
        values = chunk.dictionary.to_pylist()
        labels += [None if index is None else values[index] for index in chunk.indices.to_pylist()]
    return labels


def _require_small(file: File, metadata: "FileMetaData", spec: DatasetSpec) -> None:
    """A small file may grow to gigabytes in memory: its rows, and what its row groups take there, are checked before
    they are read.
    """
    if metadata.num_rows > _MOST_ROWS:
        raise DatasetFormatError(
            f"{file.name} has {metadata.num_rows} rows, and at most {_MOST_ROWS} are read: split it into several files,"
            " and leave out what is not needed"
        )
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        columns = [group.column(index) for index in range(group.num_columns)]
        read = [
            column
            for column in columns
            if column.path_in_schema.split(".")[0] in (spec.image_column, spec.label_column)
        ]
        size_bytes = sum(column.total_uncompressed_size for column in read)
        if size_bytes > _MOST_GROUP_BYTES:
            raise DatasetFormatError(
                f"{file.name}, row group {number} takes {size_bytes} bytes in memory, and at most {_MOST_GROUP_BYTES}"
                " are read: write it again with fewer rows per group"
            )


def _require_columns(file: File, schema: "Schema", spec: DatasetSpec) -> None:
    from pyarrow import types

    for field, column in (("image_column", spec.image_column), ("label_column", spec.label_column)):
        if column not in schema.names:
            raise DatasetFormatError(
                f"{file.name} has no column {column!r}; it has {', '.join(schema.names)}: set {field} to one of them"
            )
    image = schema.field(spec.image_column).type
    in_struct = types.is_struct(image) and image.get_field_index("bytes") >= 0
    if not (in_struct or types.is_binary(image) or types.is_large_binary(image)):
        raise DatasetFormatError(f"{file.name}, column {spec.image_column!r} holds {image}, not encoded images")
    label = schema.field(spec.label_column).type
    label_types = (types.is_integer, types.is_string, types.is_large_string, types.is_boolean)
    if not any(is_type(label) for is_type in label_types):
        raise DatasetFormatError(
            f"{file.name}, column {spec.label_column!r} holds {label}: a label is a whole number, text or a boolean"
        )


def _names_on_the_hub(schema: "Schema", column: str) -> list[str] | None:
    """The names of a ClassLabel feature, which the datasets library writes into the schema's metadata."""
    from pyarrow import types

    metadata = (schema.metadata or {}).get(b"huggingface")
    if metadata is None or not types.is_integer(schema.field(column).type):
        return None
    try:
        names = json.loads(metadata)["info"]["features"][column]["names"]
    except (ValueError, KeyError, TypeError):
        return None
    return [str(name) for name in names]


def _named(label: _Label, table: _Table) -> str:
    return str(label) if table.names is None else table.names[int(label)]


def _class_names(tables: Sequence[_Table]) -> tuple[str, ...]:
    """In the order of the labels: whole numbers by value, text by alphabet."""
    order: dict[str, Any] = {}
    for table in tables:
        order |= {_named(label, table): label for label in set(table.labels) if label is not None}
    try:
        return tuple(sorted(order, key=lambda name: order[name]))
    except TypeError as error:
        raise DatasetFormatError("the files have labels of different types: give them one type") from error


class _RowGroups:
    """The image column of the row groups read last."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._kept: OrderedDict[tuple[str, int], ChunkedArray] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, file: File, group: int, row: int) -> bytes:
        """Raises OSError where the row holds no image or cannot be read."""
        value = self._images(file, group)[row].as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        if data is None:
            raise OSError("the row holds no bytes")
        return bytes(data)

    def _images(self, file: File, group: int) -> "ChunkedArray":
        key = (file.name, group)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._load(file, group)
            self._kept.move_to_end(key)
            while len(self._kept) > _GROUPS_KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]

    def _load(self, file: File, group: int) -> "ChunkedArray":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with file.open() as handle:
                texts = _texts_of(pq.ParquetFile(handle), self._column)
                parquet = pq.ParquetFile(handle, read_dictionary=texts)
                return parquet.read_row_group(group, columns=[self._column]).column(0)
        except pa.ArrowException as error:
            raise OSError(str(error)) from error
