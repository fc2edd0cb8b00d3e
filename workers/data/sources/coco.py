"""Source ``coco``: crops of the boxes of a COCO annotation file, https://cocodataset.org/#format-data.

Boxes are clipped to their image; files are found by name in the listing of the folder, so none outside it is read.
"""

import csv
import io
import math
import posixpath
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import BoxCounts, Skipped
from search.contract.values import NO_NUL
from workers.data.errors import DatasetFormatError, DatasetNotFoundError
from workers.data.files import File, list_images, read_bytes
from workers.data.listing import Box, Listing, Sample
from workers.data.sources.registry import SOURCES

#: A box that sticks out by less is rounded, not clipped, and is not counted.
_ROUNDING_PX = 0.5

_Side = Annotated[int, Field(ge=1)]


class _Image(BaseModel):
    id: int | str
    file_name: Annotated[str, Field(pattern=NO_NUL)]
    width: _Side
    height: _Side


class _Annotation(BaseModel):
    image_id: int | str
    category_id: int | str
    bbox: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]
    iscrowd: int = 0


class _Category(BaseModel):
    id: int | str
    name: Annotated[str, Field(min_length=1, pattern=NO_NUL)]


class _Document(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


@SOURCES.register("coco")
def list_samples(spec: DatasetSpec) -> Listing:
    """Files that are missing are skipped; boxes of dropped categories, crowds and small ones are counted."""
    assert spec.annotations is not None
    document = _parse(read_bytes(spec.annotations), spec.annotations)
    class_of = _class_of_category(spec, [category.name for category in document.categories])
    class_by_id = {category.id: class_of[category.name] for category in document.categories}
    classes = tuple(sorted({name for name in class_by_id.values() if name}))
    files, skipped = _find_files(spec, document)
    image_by_id = {image.id: image for image in document.images}
    label_of: dict[str | None, int] = {name: label for label, name in enumerate(classes)}
    photo_of: dict[int | str, int] = {}
    samples: list[Sample] = []
    dropped: Counter[str] = Counter()
    clipped = 0
    for annotation in document.annotations:
        box = _box_or_reason(annotation, image_by_id.get(annotation.image_id), class_by_id, spec)
        if isinstance(box, str):
            dropped[box] += 1
            continue
        clipped += _sticks_out(annotation, box)
        if annotation.image_id in files:
            photo = photo_of.setdefault(annotation.image_id, len(photo_of))
            samples.append(Sample(photo=photo, label=label_of[class_by_id[annotation.category_id]], box=box))
    return Listing(
        classes=classes,
        photos=tuple(files[image_id] for image_id in photo_of),
        samples=tuple(samples),
        skipped=skipped,
        boxes=BoxCounts(total=len(document.annotations), clipped=clipped, dropped=dict(dropped)),
    )


def _parse(data: bytes, path: str) -> _Document:
    try:
        return _Document.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        location = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DatasetFormatError(
            f"{path} is no COCO annotation file: {location}: {first['msg']}. It needs images (id, file_name, width,"
            " height), annotations (image_id, category_id, bbox) and categories (id, name)"
        ) from error


def _class_of_category(spec: DatasetSpec, categories: list[str]) -> Mapping[str, str | None]:
    """The class of each category, None where it is dropped. Each category must be in the mapping, and no other."""
    if spec.classes is None:
        return {name: name for name in categories}
    if isinstance(spec.classes, str):
        mapping: Mapping[str, str | None] = _read_csv(spec.classes)
    else:
        mapping = spec.classes
    unmapped = sorted(set(categories) - set(mapping))
    if unmapped:
        raise DatasetFormatError(
            f"classes does not say what becomes of: {', '.join(unmapped)}. Give each a class, or none to drop it"
        )
    unknown = sorted(set(mapping) - set(categories))
    if unknown:
        raise DatasetFormatError(f"classes names categories that the annotations do not have: {', '.join(unknown)}")
    return {name: (class_name or "").strip() or None for name, class_name in mapping.items()}


def _read_csv(path: str) -> dict[str, str | None]:
    try:
        rows = [row for row in csv.reader(io.StringIO(read_bytes(path).decode("utf-8-sig"))) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetFormatError(f"{path} is no CSV file in UTF-8: {error}") from error
    for number, row in enumerate(rows, start=1):
        if len(row) != 2:
            raise DatasetFormatError(f"{path}, row {number}: {len(row)} columns; it needs two, category and class")
    return {category.strip(): class_name for category, class_name in rows}


def _find_files(spec: DatasetSpec, document: _Document) -> tuple[dict[int | str, File], tuple[Skipped, ...]]:
    """The file of each image, by image id, and the images that have none."""
    assert spec.path is not None
    present: dict[str, File] = {}
    refused: dict[str, str] = {}
    missing = "missing: no such file in the folder of images"
    try:
        tree = list_images(spec.path)
        present = tree.files
        refused = {skipped.name: skipped.reason for skipped in tree.refused}
    except DatasetNotFoundError:
        missing = f"missing: there is no folder of images at {spec.path}"
    files: dict[int | str, File] = {}
    skipped: list[Skipped] = []
    for image in document.images:
        name = posixpath.normpath(image.file_name)
        if name in present:
            files[image.id] = present[name]
        else:
            skipped.append(Skipped(name=image.file_name, reason=refused.get(name, missing)))
    return files, tuple(skipped)


def _box_or_reason(
    annotation: _Annotation,
    image: _Image | None,
    class_by_id: Mapping[int | str, str | None],
    spec: DatasetSpec,
) -> Box | str:
    """The box clipped, widened by the margin and in whole pixels, or why it is dropped."""
    if image is None:
        return "of an image that is not listed"
    if annotation.category_id not in class_by_id:
        return "of a category that is not listed"
    if class_by_id[annotation.category_id] is None:
        return "of a dropped category"
    if annotation.iscrowd:
        return "a crowd"
    x, y, width, height = annotation.bbox
    shown_width = min(x + width, image.width) - max(x, 0)
    shown_height = min(y + height, image.height) - max(y, 0)
    if min(shown_width, shown_height) < spec.min_side_px:
        return f"a side under {spec.min_side_px} px"
    across, down = spec.margin * width, spec.margin * height
    return Box(
        left=max(0, math.floor(x - across)),
        top=max(0, math.floor(y - down)),
        right=min(image.width, math.ceil(x + width + across)),
        bottom=min(image.height, math.ceil(y + height + down)),
        frame_px=(image.width, image.height),
    )


def _sticks_out(annotation: _Annotation, box: Box) -> bool:
    x, y, width, height = annotation.bbox
    frame_width, frame_height = box.frame_px
    return max(-x, -y, x + width - frame_width, y + height - frame_height) >= _ROUNDING_PX
