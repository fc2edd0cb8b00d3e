"""Stratified splits without leaks: rows of one photo, and exact copies of it, stay on one side.

Notation: n rows; ``labels`` int64 [n]; ``groups``: n keys, equal for rows that must stay together. Which row goes
where is decided by a hash of the seed and its group's key: it depends on no order, and a new image moves few others.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workers.data.errors import ClassError

#: Enough to calibrate a quantizer; taken from the training images.
CALIBRATION_IMAGES = 512


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Row indices, int64, ascending.

    ``full_train`` and ``validation`` have no common row. ``train`` is the subset of ``full_train`` that a trial sees; a
    smaller subset lies inside a larger one. ``calibration`` is part of ``full_train``, drawn apart from ``train``.
    """

    train: np.ndarray
    full_train: np.ndarray
    validation: np.ndarray
    calibration: np.ndarray


def split(
    labels: np.ndarray,
    groups: Sequence[bytes],
    classes: Sequence[str],
    *,
    given: np.ndarray | None,
    validation_fraction: float,
    subset_fraction: float,
    seed: int,
) -> Splits:
    """``given``: bool [n], the validation rows where the source says so. Raises ClassError naming the class."""
    if given is None:
        chosen = _validation_groups(labels, groups, classes, validation_fraction, seed)
        held_out = np.fromiter((group in chosen for group in groups), bool, len(groups))
    else:
        held_out = given
        _require_both_sides(labels, held_out, classes)
    full_train = np.flatnonzero(~held_out)
    calibration_fraction = min(1.0, CALIBRATION_IMAGES / len(full_train))
    return Splits(
        train=_stratified_part(full_train, labels, groups, subset_fraction, _ranking(seed, "subset")),
        full_train=full_train,
        validation=np.flatnonzero(held_out),
        calibration=_stratified_part(full_train, labels, groups, calibration_fraction, _ranking(seed, "calibration")),
    )


def _ranking(seed: int, purpose: str) -> Callable[[bytes], bytes]:
    prefix = f"{seed} {purpose} ".encode()
    return lambda group: hashlib.sha256(prefix + group).digest()


def _stratified_part(
    rows: np.ndarray,
    labels: np.ndarray,
    groups: Sequence[bytes],
    fraction: float,
    rank: Callable[[bytes], bytes],
) -> np.ndarray:
    """The first fraction of each class by rank, at least one row."""
    by_class: dict[int, list[int]] = defaultdict(list)
    for row in sorted(rows.tolist(), key=lambda row: (rank(groups[row]), row)):
        by_class[int(labels[row])].append(row)
    chosen = [ranked[: max(1, round(fraction * len(ranked)))] for ranked in by_class.values()]
    return np.sort(np.concatenate([np.asarray(rows, np.int64) for rows in chosen]))


def _require_both_sides(labels: np.ndarray, held_out: np.ndarray, classes: Sequence[str]) -> None:
    for side, rows in (("training", ~held_out), ("validation", held_out)):
        present = set(labels[rows].tolist())
        absent = [name for label, name in enumerate(classes) if label not in present]
        if absent:
            raise ClassError(
                f"the given {side} split has no usable image of: {', '.join(absent)}. Add some, or give one folder"
                " a class and let the split be made"
            )


def held_out_for_test(labels: np.ndarray, groups: Sequence[bytes], fraction: float, seed: int) -> np.ndarray:
    """The test rows, bool [n]: groups whose rows come nearest to the fraction of each class.

    Each class keeps two groups for training and validation; a class too small gives none to test.
    """
    missing = {label: round(fraction * count) for label, count in Counter(labels.tolist()).items()}
    side = _HeldOutSide(labels, groups, missing, keep=2)
    side.fill(sorted(side.members, key=_ranking(seed, "test")))
    return np.fromiter((group in side.chosen for group in groups), bool, len(groups))


def _validation_groups(
    labels: np.ndarray, groups: Sequence[bytes], classes: Sequence[str], fraction: float, seed: int
) -> set[bytes]:
    """Groups whose rows come nearest to the fraction of each class, with each class on both sides."""
    missing = {
        label: min(max(1, round(fraction * count)), count - 1) for label, count in Counter(labels.tolist()).items()
    }
    side = _HeldOutSide(labels, groups, missing, keep=1)
    ranked = sorted(side.members, key=_ranking(seed, "validation"))
    ranked_by_class: dict[int, list[bytes]] = defaultdict(list)
    for group in ranked:
        for label in side.members[group]:
            ranked_by_class[label].append(group)
    for label in sorted(side.left, key=lambda label: (side.left[label], label)):
        if label in side.classes:
            continue
        free = next((group for group in ranked_by_class[label] if side.spares(group)), None)
        if free is None:
            raise ClassError(_one_photo_only(classes[label]))
        side.choose(free)
    side.fill(ranked)
    return side.chosen


class _HeldOutSide:
    """Groups chosen for the held-out side of a split. ``missing``: the rows still wanted, by class; ``left``: the
    groups of each class on the other side, of which there stay at least ``keep``; ``members``: rows by class, by group;
    ``classes``: those of the chosen groups.
    """

    def __init__(self, labels: np.ndarray, groups: Sequence[bytes], missing: dict[int, int], *, keep: int) -> None:
        self.members: dict[bytes, Counter[int]] = defaultdict(Counter)
        for group, label in zip(groups, labels.tolist(), strict=True):
            self.members[group][label] += 1
        self.left = Counter(label for counts in self.members.values() for label in counts)
        self.chosen: set[bytes] = set()
        self.classes: set[int] = set()
        self._missing = missing
        self._keep = keep

    def choose(self, group: bytes) -> None:
        self.chosen.add(group)
        self.classes.update(self.members[group])
        for label, count in self.members[group].items():
            self._missing[label] -= count
            self.left[label] -= 1

    def spares(self, group: bytes) -> bool:
        return group not in self.chosen and all(self.left[label] > self._keep for label in self.members[group])

    def fill(self, ranked: Sequence[bytes]) -> None:
        """Chooses in this order what brings the classes nearer to what is missing."""
        for group in ranked:
            if self.spares(group) and self._improves(group):
                self.choose(group)

    def _improves(self, group: bytes) -> bool:
        counts = self.members[group].items()
        return sum(abs(self._missing[label]) - abs(self._missing[label] - count) for label, count in counts) > 0


def _one_photo_only(class_name: str) -> str:
    return (
        f"class {class_name!r} cannot be on both sides of the split: its images are copies or crops of one photo, or"
        " of photos that other classes need. Add images from other photos, or take the class out; where photos hold"
        " several classes, a smaller test_fraction may help too"
    )
