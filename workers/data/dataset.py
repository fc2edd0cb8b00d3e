"""load_dataset, load_study_dataset and inspect: decoded images in splits, or quickly the class names and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from search.contract.study_dataset import StudyDataset
from workers.data.content import Content, read_content, set_test_apart
from workers.data.decoded import CACHE_LIMIT_BYTES, decode_content, require_decoder
from workers.data.errors import ClassError, DatasetChangedError, DatasetFormatError, DatasetNotFoundError
from workers.data.listing import Listing, counts_by_class, require_enough
from workers.data.sources import list_samples
from workers.data.splits import Splits, split


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Decoded images, in an order that depends on their content only.

    ``images`` uint8 [n, side, side, 3] RGB, read-only, mapped from the cache; ``labels`` int64 [n], indices into
    ``classes``; ``skipped`` names what is not among them. ``id`` is a hash of file bytes and labels; ``class_images``
    counts what it hashes, in the order of ``classes``, before anything is decoded.
    Training and validation images only: a test image is in neither ``images`` nor ``id``.
    """

    id: str
    classes: tuple[str, ...]
    class_images: tuple[int, ...]
    images: np.ndarray
    labels: np.ndarray
    splits: Splits
    skipped: tuple[Skipped, ...]

    def as_first_read(self, spec: DatasetSpec) -> StudyDataset:
        """What a study of ``spec`` that reads these images first goes by from then on."""
        return StudyDataset(spec=spec, id=self.id, classes=self.classes, class_images=self.class_images)


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
    listing, content = _read(spec, cache_dir)
    return _decoded(spec, listing, content, side_px, cache_dir, cache_limit_bytes)


def load_study_dataset(
    data: StudyDataset, *, side_px: int, cache_dir: Path, cache_limit_bytes: int = CACHE_LIMIT_BYTES
) -> Dataset:
    """As ``load_dataset``, for a study that has read its images before. DatasetChangedError where they are others."""
    require_decoder(data.spec.decoder)
    listing, content = _read_unchanged(data, cache_dir)
    return _decoded(data.spec, listing, content, side_px, cache_dir, cache_limit_bytes)


def require_unchanged(data: StudyDataset, cache_dir: Path) -> None:
    """DatasetChangedError where the images are not those of ``data``.

    They are listed; their bytes are read again only if a name, a size or a time of modification has changed.
    """
    _read_unchanged(data, cache_dir)


def _read_unchanged(data: StudyDataset, cache_dir: Path) -> tuple[Listing, Content]:
    try:
        listing, content = _read(data.spec, cache_dir)
    except (DatasetNotFoundError, DatasetFormatError, ClassError) as error:
        raise _changed(f"{data.counted()} then, and now: {error}") from error
    if content.id != data.id:
        raise _changed(data.difference(listing.classes, _class_images(listing, content)))
    return listing, content


def _changed(difference: str) -> DatasetChangedError:
    return DatasetChangedError(
        f"the images changed since the study began: {difference}; make a new study, or restore the images and extend"
        " this one"
    )


def _read(spec: DatasetSpec, cache_dir: Path) -> tuple[Listing, Content]:
    """What the search may read, before it is decoded."""
    listing = list_samples(spec)
    require_enough(listing.classes, counts_by_class(listing), listing.skipped)
    content, _ = set_test_apart(spec, listing, read_content(listing, cache_dir))
    if not content.rows:
        raise ClassError(f"no image can be read, the first because it {content.skipped[0].reason}: check permissions")
    return listing, content


def _class_images(listing: Listing, content: Content) -> tuple[int, ...]:
    labels = [row.label for row in content.rows]
    return tuple(np.bincount(labels, minlength=len(listing.classes)).tolist())


def _decoded(
    spec: DatasetSpec, listing: Listing, content: Content, side_px: int, cache_dir: Path, cache_limit_bytes: int
) -> Dataset:
    decoded = decode_content(
        spec, listing.photos, content, side_px=side_px, cache_dir=cache_dir, cache_limit_bytes=cache_limit_bytes
    )
    skipped = listing.skipped + content.skipped + content.leaked + decoded.skipped
    counts = np.bincount(decoded.labels, minlength=len(listing.classes)).tolist()
    require_enough(listing.classes, counts, skipped)
    return Dataset(
        id=content.id,
        classes=listing.classes,
        class_images=_class_images(listing, content),
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
