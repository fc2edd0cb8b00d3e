"""What checking a data set finds, as plain data: ``dataclasses.asdict`` turns it into JSON."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """An image that is not used, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class BoxCounts:
    """What became of the boxes of a COCO file; ``dropped`` counts them by reason."""

    total: int
    clipped: int
    dropped: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class ClassReport:
    """Numbers of usable images; ``pictures`` are a few of them, JPEG in base64. Test images are listed or counted, not
    opened, so that some of ``test`` may turn out to be unusable; none is among the pictures.
    """

    name: str
    images: int
    train: int
    validation: int
    test: int
    pictures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Spread:
    smallest: int
    median: float
    largest: int


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """A data set examined file by file.

    ``loadable``: load_dataset would succeed; ``ok``: there is no problem at all. ``imbalance`` is the largest class
    over the smallest. ``kinds`` counts photos by format and mode, as in "JPEG RGB". ``duplicates`` are photos of the
    same bytes, ``conflicts`` those of one picture in several classes, ``leaks`` training photos that are in the given
    validation split too. Sizes, kinds and imbalance are those of training and validation.
    """

    id: str
    ok: bool
    loadable: bool
    problems: tuple[str, ...]
    classes: tuple[ClassReport, ...]
    imbalance: float | None
    photos: int
    width_px: Spread | None
    height_px: Spread | None
    kinds: dict[str, int]
    skipped: tuple[Skipped, ...]
    duplicates: tuple[tuple[str, ...], ...]
    conflicts: tuple[tuple[str, ...], ...]
    leaks: tuple[str, ...]
    boxes: BoxCounts | None
