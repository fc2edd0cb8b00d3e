"""check_dataset: all that is worth knowing about a data set before a study is spent on it."""

import base64
import hashlib
import io
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import ClassReport, DatasetReport, Skipped, Spread
from workers.data.content import Content, arrange
from workers.data.dataset import split_rows
from workers.data.decode import decode, open_photo
from workers.data.errors import ClassError, UnreadableImageError
from workers.data.listing import Box, Listing, Photo, Sample, class_problem
from workers.data.resize import preprocess
from workers.data.sources import list_samples
from workers.data.splits import Splits
from workers.data.threads import map_in_threads

_PICTURES_A_CLASS = 4
#: Of all classes together; each class has one at least.
_PICTURES = 400
_PICTURE_SIDE_PX = 96


@dataclass(frozen=True, kw_only=True)
class _Examined:
    """``unread``: why the file cannot be read; ``undecoded``: why the whole (None) or a box has no pixels."""

    digest: bytes = b""
    size_px: tuple[int, int] | None = None
    kind: str | None = None
    unread: str | None = None
    undecoded: dict[Box | None, str]


def check_dataset(spec: DatasetSpec) -> DatasetReport:
    """Reads and decodes every image once. Raises DataError only where nothing can be listed."""
    listing = list_samples(spec)
    boxes_of: dict[int, set[Box | None]] = defaultdict(set)
    for sample in listing.samples:
        boxes_of[sample.photo].add(sample.box)
    examined = list(
        map_in_threads(lambda photo: _examine(listing.photos[photo], boxes_of[photo]), range(len(listing.photos)))
    )
    unread = {photo: result.unread for photo, result in enumerate(examined) if result.unread}
    content = arrange(listing, [result.digest for result in examined], unread)
    kept = [row for row, sample in enumerate(content.rows) if sample.box not in examined[sample.photo].undecoded]
    undecoded = tuple(
        Skipped(name=photo.name, reason=reason)
        for photo, result in zip(listing.photos, examined, strict=True)
        for reason in sorted(set(result.undecoded.values()))
    )
    skipped = listing.skipped + content.skipped + undecoded
    counts = Counter(content.rows[row].label for row in kept)
    class_counts = [counts[label] for label in range(len(listing.classes))]
    splits, unsplittable = _try_split(spec, content, kept, listing, class_counts, skipped)
    conflicts = _conflicts(listing, content)
    problems = [*unsplittable, *_problems(skipped, conflicts, content.leaked)]
    sizes = [result.size_px for result in examined if result.size_px]
    return DatasetReport(
        id=content.id,
        ok=not problems,
        loadable=splits is not None,
        problems=tuple(problems),
        classes=_class_reports(spec, listing, [content.rows[row] for row in kept], splits),
        imbalance=_imbalance(class_counts),
        photos=len(listing.photos),
        width_px=_spread([width for width, _ in sizes]),
        height_px=_spread([height for _, height in sizes]),
        kinds=dict(Counter(result.kind for result in examined if result.kind)),
        skipped=skipped,
        duplicates=_duplicates(listing, examined),
        conflicts=conflicts,
        leaks=tuple(leak.name for leak in content.leaked),
        boxes=listing.boxes,
    )


def _examine(photo: Photo, boxes: Collection[Box | None]) -> _Examined:
    try:
        data = photo.read()
    except OSError as error:
        return _Examined(unread=f"cannot be read: {error.strerror or error}", undecoded={})
    digest = hashlib.sha256(data).digest()
    try:
        image = open_photo(data)
    except UnreadableImageError as error:
        return _Examined(digest=digest, undecoded=dict.fromkeys(boxes, str(error)))
    undecoded: dict[Box | None, str] = {}
    for box in boxes:
        try:
            decode(image, box)
        except UnreadableImageError as error:
            undecoded[box] = str(error)
    return _Examined(digest=digest, size_px=image.size, kind=f"{image.format} {image.mode}", undecoded=undecoded)


def _try_split(
    spec: DatasetSpec,
    content: Content,
    kept: Sequence[int],
    listing: Listing,
    class_counts: Sequence[int],
    skipped: Sequence[Skipped],
) -> tuple[Splits | None, list[str]]:
    """The splits that load_dataset would make, or why it would make none."""
    problem = class_problem(listing.classes, class_counts, skipped)
    if problem:
        return None, [problem]
    try:
        return split_rows(spec, content, kept, listing.classes), []
    except ClassError as error:
        return None, [str(error)]


def _problems(
    skipped: Sequence[Skipped], conflicts: Sequence[Sequence[str]], leaked: Sequence[Skipped]
) -> Iterable[str]:
    if skipped:
        first = skipped[0]
        yield f"{len(skipped)} files cannot be used; the first is {first.name}: {first.reason}"
    if conflicts:
        yield f"{len(conflicts)} pictures are in several classes; the first is {' = '.join(conflicts[0])}"
    if leaked:
        yield f"{len(leaked)} training images are in the validation split too; the first is {leaked[0].name}"


def _duplicates(listing: Listing, examined: Sequence[_Examined]) -> tuple[tuple[str, ...], ...]:
    names: dict[bytes, list[str]] = defaultdict(list)
    for photo, result in zip(listing.photos, examined, strict=True):
        if result.digest:
            names[result.digest].append(photo.name)
    return tuple(tuple(same) for same in names.values() if len(same) > 1)


def _conflicts(listing: Listing, content: Content) -> tuple[tuple[str, ...], ...]:
    alike: dict[tuple[bytes, Box | None], list[Sample]] = defaultdict(list)
    for digest, sample in zip(content.digests, content.rows, strict=True):
        alike[digest, sample.box].append(sample)
    return tuple(
        tuple(listing.photos[sample.photo].name for sample in samples)
        for samples in alike.values()
        if len({sample.label for sample in samples}) > 1
    )


def _class_reports(
    spec: DatasetSpec, listing: Listing, samples: Sequence[Sample], splits: Splits | None
) -> tuple[ClassReport, ...]:
    labels = np.array([sample.label for sample in samples], np.int64)
    nothing = np.zeros(0, np.int64)
    train, validation = (splits.full_train, splits.validation) if splits else (nothing, nothing)
    pictures = max(1, min(_PICTURES_A_CLASS, _PICTURES // max(len(listing.classes), 1)))
    return tuple(
        ClassReport(
            name=name,
            images=int(np.sum(labels == label)),
            train=int(np.sum(labels[train] == label)),
            validation=int(np.sum(labels[validation] == label)),
            pictures=tuple(
                _picture(spec, listing.photos[samples[row].photo], samples[row].box)
                for row in np.flatnonzero(labels == label)[:pictures]
            ),
        )
        for label, name in enumerate(listing.classes)
    )


def _picture(spec: DatasetSpec, photo: Photo, box: Box | None) -> str:
    square = preprocess(photo.read(), box, side_px=_PICTURE_SIDE_PX, resize=spec.resize)
    file = io.BytesIO()
    Image.fromarray(square).save(file, "JPEG", quality=85)
    return base64.b64encode(file.getvalue()).decode()


def _imbalance(class_counts: Sequence[int]) -> float | None:
    smallest = min(class_counts, default=0)
    return max(class_counts) / smallest if smallest else None


def _spread(values: Sequence[int]) -> Spread | None:
    if not values:
        return None
    return Spread(smallest=min(values), median=statistics.median(values), largest=max(values))
