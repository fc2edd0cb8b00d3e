"""load_test_split: the only code that opens test images, for the scoring that ends a study or a training."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from workers.data.content import Content, part_of, read_content, set_test_apart
from workers.data.decoded import CACHE_LIMIT_BYTES, decode_content
from workers.data.errors import ClassError
from workers.data.listing import Listing, unknown_classes
from workers.data.sources import list_samples

_LEAK = "the same image is in the training or validation split: not scored"


@dataclass(frozen=True, kw_only=True)
class TestSplit:
    """Decoded test images, in an order that depends on their content only; n is 0 where there is no test split.

    ``images`` uint8 [n, side, side, 3] RGB, read-only; ``labels`` int64 [n], indices into ``classes``, which are those
    of ``load_dataset``; ``id`` is a hash of file bytes and labels; ``skipped`` names what is not among them.
    """

    __test__ = False  # for pytest, which takes a class of this name for tests

    id: str
    classes: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray
    skipped: tuple[Skipped, ...]


def load_test_split(
    spec: DatasetSpec, *, side_px: int, cache_dir: Path, cache_limit_bytes: int = CACHE_LIMIT_BYTES
) -> TestSplit:
    """The test images of the source, or those held out as ``spec.test_fraction``; ``subset_fraction`` has no effect.

    Left out and named in ``skipped``: images that cannot be read, and copies of training and validation images. Raises
    DataError, also where the source's test part has classes that training lacks.
    """
    listing = list_samples(spec)
    content, test = set_test_apart(spec, listing, read_content(listing, cache_dir))
    photos, skipped = listing.photos, tuple[Skipped, ...]()
    if listing.test is not None:
        given = _with_classes_of(listing, listing.test())
        test = _without_copies(given, read_content(given, cache_dir), set(content.digests))
        photos, skipped = given.photos, given.skipped + test.skipped + test.leaked
    if not test.rows:
        nothing = np.zeros((0, side_px, side_px, 3), np.uint8)
        labels = np.zeros(0, np.int64)
        return TestSplit(id=test.id, classes=listing.classes, images=nothing, labels=labels, skipped=skipped)
    decoded = decode_content(
        spec, photos, test, side_px=side_px, cache_dir=cache_dir, cache_limit_bytes=cache_limit_bytes
    )
    return TestSplit(
        id=test.id,
        classes=listing.classes,
        images=decoded.images,
        labels=decoded.labels,
        skipped=skipped + decoded.skipped,
    )


def _with_classes_of(listing: Listing, test: Listing) -> Listing:
    """The test part with the labels of the other parts. ClassError where it has a class that they lack."""
    unknown = unknown_classes(listing, test)
    if unknown:
        raise ClassError(
            f"the test split has classes that training lacks: {', '.join(unknown)}. Add training images of them, or"
            " take them out of the test split"
        )
    label_of = [listing.classes.index(name) for name in test.classes]
    samples = tuple(replace(sample, label=label_of[sample.label]) for sample in test.samples)
    return replace(test, classes=listing.classes, samples=samples)


def _without_copies(test: Listing, content: Content, known: Collection[bytes]) -> Content:
    copies = {row for row, digest in enumerate(content.digests) if digest in known}
    kept = [row for row in range(len(content.rows)) if row not in copies]
    names = sorted({test.photos[content.rows[row].photo].name for row in copies})
    leaked = tuple(Skipped(name=name, reason=_LEAK) for name in names)
    return replace(part_of(content, kept, test.classes), leaked=leaked)
