"""check_dataset: all that is worth knowing about a data set before a study is spent on it."""

import base64
import io
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import ClassReport, DatasetReport, Skipped, Spread
from workers.data.content import Content, arrange, read_digests, set_test_apart
from workers.data.dataset import split_rows
from workers.data.decode import decode, open_photo
from workers.data.errors import ClassError, UnreadableImageError
from workers.data.listing import Box, Listing, Photo, Sample, class_problem, unknown_classes
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
    """``undecoded``: why the whole (None) or a box has no pixels."""

    size_px: tuple[int, int] | None = None
    kind: str | None = None
    undecoded: dict[Box | None, str]


def check_dataset(spec: DatasetSpec) -> DatasetReport:
    """Reads and decodes every image of training and validation. Raises DataError only where nothing can be listed.

    Images of a given test part are only listed; test images held out by ``test_fraction`` are hashed, never decoded.
    """
    listing = list_samples(spec)
    test_listing = listing.test() if listing.test else Listing(classes=(), photos=(), samples=())
    digests, unread = read_digests(listing.photos)
    whole = arrange(listing, digests, unread)
    content, held_out = set_test_apart(spec, listing, whole)
    examined = _examine_all(listing, content)
    kept = [row for row, sample in enumerate(content.rows) if sample.box not in examined[sample.photo].undecoded]
    undecoded = tuple(
        Skipped(name=listing.photos[photo].name, reason=reason)
        for photo, result in sorted(examined.items())
        for reason in sorted(set(result.undecoded.values()))
    )
    skipped = listing.skipped + content.skipped + undecoded
    counts = Counter(content.rows[row].label for row in kept)
    class_counts = [counts[label] for label in range(len(listing.classes))]
    splits, unsplittable = _try_split(spec, content, kept, listing, class_counts, skipped)
    conflicts = _conflicts(listing, whole)
    unusable = skipped + test_listing.skipped
    problems = [*unsplittable, *_problems(unusable, conflicts, content.leaked, unknown_classes(listing, test_listing))]
    sizes = [result.size_px for result in examined.values() if result.size_px]
    test_names = [listing.classes[sample.label] for sample in held_out.rows]
    test_names += [test_listing.classes[sample.label] for sample in test_listing.samples]
    return DatasetReport(
        id=content.id,
        ok=not problems,
        loadable=splits is not None,
        problems=tuple(problems),
        classes=_class_reports(spec, listing, [content.rows[row] for row in kept], splits, Counter(test_names)),
        imbalance=_imbalance(class_counts),
        photos=len(listing.photos) + len(test_listing.photos),
        width_px=_spread([width for width, _ in sizes]),
        height_px=_spread([height for _, height in sizes]),
        kinds=dict(Counter(result.kind for result in examined.values() if result.kind)),
        skipped=unusable,
        duplicates=_duplicates(listing, digests),
        conflicts=conflicts,
        leaks=tuple(leak.name for leak in content.leaked),
        boxes=listing.boxes,
    )


def _examine_all(listing: Listing, content: Content) -> dict[int, _Examined]:
    """By photo, all that have a row."""
    boxes_of: dict[int, set[Box | None]] = defaultdict(set)
    for sample in content.rows:
        boxes_of[sample.photo].add(sample.box)
    photos = sorted(boxes_of)
    return dict(
        zip(photos, map_in_threads(lambda photo: _examine(listing.photos[photo], boxes_of[photo]), photos), strict=True)
    )


def _examine(photo: Photo, boxes: Collection[Box | None]) -> _Examined:
    try:
        image = open_photo(photo.read())
    except (OSError, UnreadableImageError) as error:
        return _Examined(undecoded=dict.fromkeys(boxes, str(error)))
    undecoded: dict[Box | None, str] = {}
    for box in boxes:
        try:
            decode(image, box)
        except UnreadableImageError as error:
            undecoded[box] = str(error)
    return _Examined(size_px=image.size, kind=f"{image.format} {image.mode}", undecoded=undecoded)


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
    skipped: Sequence[Skipped],
    conflicts: Sequence[Sequence[str]],
    leaked: Sequence[Skipped],
    unknown: Sequence[str],
) -> Iterable[str]:
    if skipped:
        first = skipped[0]
        yield f"{len(skipped)} files cannot be used; the first is {first.name}: {first.reason}"
    if conflicts:
        yield f"{len(conflicts)} pictures are in several classes; the first is {' = '.join(conflicts[0])}"
    if leaked:
        yield f"{len(leaked)} training images are in the validation split too; the first is {leaked[0].name}"
    if unknown:
        yield f"the test split has classes that training lacks, so that it cannot be scored: {', '.join(unknown)}"


def _duplicates(listing: Listing, digests: Sequence[bytes]) -> tuple[tuple[str, ...], ...]:
    names: dict[bytes, list[str]] = defaultdict(list)
    for photo, digest in zip(listing.photos, digests, strict=True):
        if digest:
            names[digest].append(photo.name)
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
    spec: DatasetSpec, listing: Listing, samples: Sequence[Sample], splits: Splits | None, test: Mapping[str, int]
) -> tuple[ClassReport, ...]:
    labels = np.array([sample.label for sample in samples], np.int64)
    nothing = np.zeros(0, np.int64)
    train, validation = (splits.full_train, splits.validation) if splits else (nothing, nothing)
    pictures = max(1, min(_PICTURES_A_CLASS, _PICTURES // max(len(listing.classes), 1)))
    return tuple(
        ClassReport(
            name=name,
            images=int(np.sum(labels == label)) + test.get(name, 0),
            train=int(np.sum(labels[train] == label)),
            validation=int(np.sum(labels[validation] == label)),
            test=test.get(name, 0),
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
