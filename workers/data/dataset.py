"""load_dataset and inspect: a spec to decoded images in splits, or quickly to its class names and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from workers.data.content import Content, read_content, set_test_apart
from workers.data.decoded import CACHE_LIMIT_BYTES, decode_content, require_decoder
from workers.data.errors import ClassError
from workers.data.listing import counts_by_class, require_enough
from workers.data.sources import list_samples
from workers.data.splits import Splits, split


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Decoded images, in an order that depends on their content only.

    ``images`` uint8 [n, side, side, 3] RGB, read-only, mapped from the cache; ``labels`` int64 [n], indices into
    ``classes``; ``skipped`` names what is not among them. ``id`` is a hash of file bytes and labels.
    Training and validation images only: a test image is in neither ``images`` nor ``id``.
    """

    id: str
    classes: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray
    splits: Splits
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Classes and their numbers of images, before any is decoded; those of the source's own test part do not count."""

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

    Validation is ``spec.validation_fraction`` of each class, or the source's own split where it has one. Test images
    are not among the rows. Files of the source's own test part are not opened. Where test is a fraction, the bytes of
    all photos are hashed to find copies, and test images are never decoded.
    """
    require_decoder(spec.decoder)
    listing = list_samples(spec)
    require_enough(listing.classes, counts_by_class(listing), listing.skipped)
    content, _ = set_test_apart(spec, listing, read_content(listing, cache_dir))
    if not content.rows:
        raise ClassError(f"no image can be read, the first because it {content.skipped[0].reason}: check permissions")
    decoded = decode_content(
        spec, listing.photos, content, side_px=side_px, cache_dir=cache_dir, cache_limit_bytes=cache_limit_bytes
    )
    skipped = listing.skipped + content.skipped + content.leaked + decoded.skipped
    counts = np.bincount(decoded.labels, minlength=len(listing.classes)).tolist()
    require_enough(listing.classes, counts, skipped)
    return Dataset(
        id=content.id,
        classes=listing.classes,
        images=decoded.images,
        labels=decoded.labels,
        splits=split_rows(spec, content, decoded.kept, listing.classes),
        skipped=skipped,
    )


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
