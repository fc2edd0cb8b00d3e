"""What a source lists, before anything is decoded: photos, and the labelled samples taken from them.

A photo is one encoded image; a sample is a photo, or a box of it, with a class. Most sources have one sample a photo.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from search.contract.dataset_report import BoxCounts, Skipped
from workers.data.errors import ClassError, DatasetFormatError

Split = Literal["train", "validation"]
#: What a source may come in. Test samples are in a listing of their own.
Part = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One encoded image. An equal ``stamp`` means equal bytes; None means that only reading tells."""

    name: str
    stamp: str | None
    read: Callable[[], bytes]


@dataclass(frozen=True, kw_only=True, order=True)
class Box:
    """Whole pixels, ``right`` and ``bottom`` excluded, of a photo annotated as ``frame_px``: (width, height)."""

    left: int
    top: int
    right: int
    bottom: int
    frame_px: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """``photo`` and ``label`` are indices into the listing; ``split`` is set where the source gives its own split."""

    photo: int
    label: int
    box: Box | None = None
    split: Split | None = None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """``test`` lists the source's own test part, without splits; None where it has none. No file of that part is
    opened before the call. Its classes are its own: equal names mean equal classes.
    """

    classes: tuple[str, ...]
    photos: tuple[Photo, ...]
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...] = ()
    boxes: BoxCounts | None = None
    test: "Callable[[], Listing] | None" = None

    def __post_init__(self) -> None:
        """DatasetFormatError if a class has a name that the record cannot hold or nobody can read."""
        for number, name in enumerate(self.classes, start=1):
            if not name.strip() or "\0" in name:
                raise DatasetFormatError(f"class {number} is called {name!r}: give it a name, without NUL characters")


def without_test_split(listing: Listing) -> Listing:
    """The same without a test part: it serves as validation where the source has no validation part."""
    if listing.test is None:
        return listing
    if any(sample.split for sample in listing.samples):
        return replace(listing, test=None)
    test = listing.test()
    classes = listing.classes + tuple(name for name in test.classes if name not in listing.classes)
    train = tuple(replace(sample, split="train") for sample in listing.samples)
    validation = tuple(
        replace(
            sample,
            photo=len(listing.photos) + sample.photo,
            label=classes.index(test.classes[sample.label]),
            split="validation",
        )
        for sample in test.samples
    )
    return Listing(
        classes=classes,
        photos=listing.photos + test.photos,
        samples=train + validation,
        skipped=listing.skipped + test.skipped,
        boxes=listing.boxes,
    )


def unknown_classes(listing: Listing, test: Listing) -> tuple[str, ...]:
    """The classes of the test part that training and validation lack."""
    return tuple(name for name in test.classes if name not in listing.classes)


def counts_by_class(listing: Listing) -> tuple[int, ...]:
    counts = [0] * len(listing.classes)
    for sample in listing.samples:
        counts[sample.label] += 1
    return tuple(counts)


def class_problem(classes: Sequence[str], counts: Sequence[int], skipped: Sequence[Skipped]) -> str | None:
    """Why these classes cannot be learned and validated, or None: two classes, each of two images, is the least."""
    if len(classes) < 2:
        named = f" ({classes[0]!r})" if classes else ""
        return f"the data set has {len(classes)} classes{named}: a classifier needs at least 2"
    small = [f"{name!r} has {count}" for name, count in zip(classes, counts, strict=True) if count < 2]
    if not small:
        return None
    lost = f" {len(skipped)} were skipped, the first is {skipped[0].name}: {skipped[0].reason}." if skipped else ""
    return (
        f"each class needs at least 2 usable images, one to train on and one to validate on: {', '.join(small)}.{lost}"
        " Add images to these classes, or take the classes out"
    )


def require_enough(classes: Sequence[str], counts: Sequence[int], skipped: Sequence[Skipped]) -> None:
    problem = class_problem(classes, counts, skipped)
    if problem:
        raise ClassError(problem)
