"""Source ``folder``: one folder a class, or ``train``, ``val`` and ``test`` folders that hold one folder a class each.

A list of file names may set the test images apart instead of a ``test`` folder.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from workers.data.errors import DatasetFormatError
from workers.data.files import Tree, list_images, read_bytes
from workers.data.listing import Listing, Part, Photo, Sample, Split
from workers.data.sources.registry import SOURCES

_TRAIN = "train"
#: The first of these that is there is the validation split; the others are left alone.
_VALIDATION = ("val", "valid", "validation")
_TEST = "test"


@dataclass(frozen=True, kw_only=True)
class _Placed:
    class_name: str
    part: Part | None
    photo: Photo


@SOURCES.register("folder")
def list_samples(spec: DatasetSpec) -> Listing:
    """Files in subfolders of a class folder are of that class; files outside the class folders are skipped."""
    assert spec.path is not None
    tree = list_images(spec.path)
    parts = _given_parts(tree)
    placed, unplaced = _place(tree, parts)
    if spec.test_list:
        if _TEST in parts:
            raise DatasetFormatError(f"{spec.path} has a folder test: give that or test_list, not both")
        placed = _apply_list(placed, _read_list(spec.test_list), spec.test_list)
    test = [one for one in placed if one.part == "test"]
    skipped_in_test = [skipped for skipped in unplaced if skipped.name.split("/")[0] == _TEST and _TEST in parts]
    skipped = [skipped for skipped in unplaced if skipped not in skipped_in_test]
    if skipped_in_test and not test:
        reason = "no class folders in it, so that nothing could be scored on it: left alone"
        skipped.append(Skipped(name=_TEST, reason=reason))
    empty = () if parts else tree.folders
    has_validation = "validation" in parts.values()
    return replace(
        _listing([one for one in placed if one.part != "test"], empty, skipped, gives_split=has_validation),
        test=partial(_listing, test, (), skipped_in_test, gives_split=False) if test else None,
    )


def _given_parts(tree: Tree) -> dict[str, Part]:
    """The top folders that are parts of the data set; empty where the top folders are classes."""
    parts: dict[str, Part] = {name: "validation" for name in _VALIDATION if name in tree.folders}
    parts = dict(list(parts.items())[:1])
    if _TEST in tree.folders:
        parts[_TEST] = "test"
    return {_TRAIN: "train", **parts} if _TRAIN in tree.folders and parts else {}


def _place(tree: Tree, parts: dict[str, Part]) -> tuple[list[_Placed], list[Skipped]]:
    """Files with their classes, and those that have none."""
    left_alone = set(_VALIDATION) - set(parts) if parts else set()
    placed, unplaced = list[_Placed](), list(tree.refused)
    for name, photo in tree.files.items():
        top, *rest = name.split("/")
        class_parts = rest if parts else [top, *rest]
        if top in left_alone:
            continue
        if len(class_parts) < 2 or (parts and top not in parts):
            unplaced.append(Skipped(name=name, reason="in no class folder"))
        else:
            placed.append(_Placed(class_name=class_parts[0], part=parts.get(top), photo=photo))
    return placed, unplaced


def _read_list(path: str) -> set[str]:
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetFormatError(f"test_list {path} is no text file in UTF-8: {error}") from error
    names = {line.strip().removeprefix("./") for line in lines} - {""}
    if not names:
        raise DatasetFormatError(f"test_list {path} names no image: write one path a line")
    return names


def _apply_list(placed: Sequence[_Placed], names: set[str], path: str) -> list[_Placed]:
    """Those that the list names become test images."""
    absent = sorted(names - {one.photo.name for one in placed})
    if absent:
        raise DatasetFormatError(
            f"test_list {path} names {len(absent)} files that are no images in a class folder, the first is"
            f" {absent[0]}: write paths relative to the data set's path"
        )
    return [replace(one, part="test") if one.photo.name in names else one for one in placed]


def _listing(
    placed: Sequence[_Placed], classes: Collection[str], skipped: Sequence[Skipped], *, gives_split: bool
) -> Listing:
    """``classes`` are there even where they have no file."""
    names = tuple(sorted({one.class_name for one in placed} | set(classes)))
    label_of = {name: label for label, name in enumerate(names)}
    return Listing(
        classes=names,
        photos=tuple(one.photo for one in placed),
        samples=tuple(
            Sample(
                photo=index,
                label=label_of[one.class_name],
                split=_split(one.part) if gives_split else None,
            )
            for index, one in enumerate(placed)
        ),
        skipped=tuple(skipped),
    )


def _split(part: Part | None) -> Split | None:
    return "validation" if part == "validation" else "train"
