"""load_dataset and inspect: a spec to decoded images in splits, or quickly to its class names and counts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from workers.data.cache import ImageCache
from workers.data.content import Content, read_content
from workers.data.decoders import DECODERS
from workers.data.errors import ClassError, MissingPackageError
from workers.data.listing import counts_by_class, require_enough
from workers.data.sources import list_samples
from workers.data.splits import Splits, split

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
    decode_rows, version = DECODERS[spec.decoder].decode_rows, _decoder_version(spec.decoder)
    listing = list_samples(spec)
    require_enough(listing.classes, counts_by_class(listing), listing.skipped)
    content = read_content(listing, cache_dir)
    if not content.rows:
        raise ClassError(f"no image can be read, the first because it {content.skipped[0].reason}: check permissions")
    cached = ImageCache(cache_dir / "images", limit_bytes=cache_limit_bytes).get(
        _cache_key(content.id, side_px, spec.resize, version),
        shape=(len(content.rows), side_px, side_px, 3),
        rows=lambda: decode_rows(listing.photos, content.rows, side_px=side_px, resize=spec.resize),
    )
    kept = [row for row in range(len(content.rows)) if row not in cached.failures]
    labels = np.array([content.rows[row].label for row in kept], np.int64)
    undecoded = tuple(
        Skipped(name=listing.photos[content.rows[row].photo].name, reason=reason)
        for row, reason in cached.failures.items()
    )
    skipped = listing.skipped + content.skipped + content.leaked + undecoded
    require_enough(listing.classes, np.bincount(labels, minlength=len(listing.classes)).tolist(), skipped)
    return Dataset(
        id=content.id,
        classes=listing.classes,
        images=cached.images,
        labels=labels,
        splits=split_rows(spec, content, kept, listing.classes),
        skipped=skipped,
    )


def _decoder_version(name: str) -> str:
    """MissingPackageError where a package of the decoder is not installed."""
    try:
        return DECODERS[name].version()
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"decoder {name!r} needs a package that is not installed ({error}): install seedleaf[{name}] on every"
            " machine that works, or choose decoder: pillow"
        ) from error


def _cache_key(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def split_rows(spec: DatasetSpec, content: Content, kept: Sequence[int], classes: Sequence[str]) -> Splits:
    """Splits of the rows that are kept of the content. Raises ClassError."""
    rows = [content.rows[row] for row in kept]
    is_given = any(row.split for row in rows)
    return split(
        np.array([row.label for row in rows], np.int64),
        [content.digests[row] for row in kept],
        classes,
        given=np.array([row.split == "validation" for row in rows]) if is_given else None,
        validation_fraction=spec.validation_fraction,
        subset_fraction=spec.subset_fraction,
        seed=spec.seed,
    )
