"""load_dataset and inspect: a spec to decoded images in splits, or quickly to its class names and counts."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL

from search.dataset import DatasetSpec
from workers.data.cache import ImageCache
from workers.data.content import Content, read_content
from workers.data.errors import ClassError, UnreadableImageError
from workers.data.listing import Photo, Sample, Skipped, counts_by_class, require_enough
from workers.data.resize import to_squares
from workers.data.sources import list_samples
from workers.data.splits import Splits, split
from workers.data.threads import map_in_threads

#: Raised when decoding changes its result; part of the cache's key.
_DECODING_VERSION = 1
CACHE_LIMIT_BYTES = 50 * 2**30


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Decoded images, in an order that depends on their content only.

    ``images`` uint8 [n, side, side, 3] RGB, read-only, mapped from the cache; ``labels`` int64 [n], indices into
    ``classes``; ``skipped`` names what is not among them. ``id`` is a hash of file bytes and labels.
    """

    id: str
    classes: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray
    splits: Splits
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Classes and their numbers of images, before any is decoded."""

    classes: tuple[str, ...]
    counts: tuple[int, ...]


def inspect(spec: DatasetSpec) -> Overview:
    """The classes, without decoding. Raises DataError, also where a class has too few images."""
    listing = list_samples(spec)
    counts = counts_by_class(listing)
    require_enough(listing.classes, counts, listing.skipped)
    return Overview(classes=listing.classes, counts=counts)


def load_dataset(
    spec: DatasetSpec, *, side_px: int, cache_dir: Path, cache_limit_bytes: int = CACHE_LIMIT_BYTES
) -> Dataset:
    """Decodes on the first call and maps the result on later ones, from whatever process. Raises DataError.

    Validation is ``spec.validation_fraction`` of each class, or the source's own split where it has one.
    """
    listing = list_samples(spec)
    require_enough(listing.classes, counts_by_class(listing), listing.skipped)
    content = read_content(listing, cache_dir)
    if not content.rows:
        raise ClassError(f"no image can be read, the first because it {content.skipped[0].reason}: check permissions")
    cached = ImageCache(cache_dir / "images", limit_bytes=cache_limit_bytes).get(
        _cache_key(content.id, spec, side_px),
        shape=(len(content.rows), side_px, side_px, 3),
        rows=lambda: _decoded_rows(listing.photos, content.rows, side_px=side_px, resize=spec.resize),
    )
    kept = [row for row in range(len(content.rows)) if row not in cached.failures]
    labels = np.array([content.rows[row].label for row in kept], np.int64)
    undecoded = tuple(
        Skipped(name=listing.photos[content.rows[row].photo].name, reason=reason)
        for row, reason in cached.failures.items()
    )
    skipped = listing.skipped + content.skipped + undecoded
    require_enough(listing.classes, np.bincount(labels, minlength=len(listing.classes)).tolist(), skipped)
    return Dataset(
        id=content.id,
        classes=listing.classes,
        images=cached.images,
        labels=labels,
        splits=_split(spec, content, kept, labels, listing.classes),
        skipped=skipped,
    )


def _cache_key(dataset_id: str, spec: DatasetSpec, side_px: int) -> str:
    parts = (dataset_id, side_px, spec.resize, _DECODING_VERSION, PIL.__version__)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _split(
    spec: DatasetSpec, content: Content, kept: Sequence[int], labels: np.ndarray, classes: Sequence[str]
) -> Splits:
    sides = [content.rows[row].side for row in kept]
    return split(
        labels,
        [content.digests[row] for row in kept],
        classes,
        given=np.array([side == "validation" for side in sides]) if any(sides) else None,
        validation_fraction=spec.validation_fraction,
        subset_fraction=spec.subset_fraction,
        seed=spec.seed,
    )


def _decoded_rows(
    photos: Sequence[Photo], rows: Sequence[Sample], *, side_px: int, resize: str
) -> Iterator[tuple[int, np.ndarray | str]]:
    """Each photo is read and decoded once, in the source's order, however many boxes it has."""
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, sample in enumerate(rows):
        rows_of[sample.photo].append(row)

    def decoded(photo: int) -> list[tuple[int, np.ndarray | str]]:
        boxes = [rows[row].box for row in rows_of[photo]]
        try:
            squares = to_squares(photos[photo].read(), boxes, side_px=side_px, resize=resize)
        except (UnreadableImageError, OSError) as error:
            squares = [str(error)] * len(boxes)
        return list(zip(rows_of[photo], squares, strict=True))

    for results in map_in_threads(decoded, sorted(rows_of)):
        yield from results
