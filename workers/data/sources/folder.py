"""Source ``folder``: one folder a class, or ``train`` and ``val`` folders that hold one folder a class each."""

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from workers.data.files import Tree, list_images
from workers.data.listing import Listing, Photo, Sample, Split
from workers.data.sources.registry import SOURCES

_TRAIN = "train"
#: The first of these that is there is the validation split; the others are left alone.
_HELD_OUT = ("val", "valid", "validation", "test")


@SOURCES.register("folder")
def list_samples(spec: DatasetSpec) -> Listing:
    """Files in subfolders of a class folder are of that class; files outside the class folders are skipped."""
    assert spec.path is not None
    tree = list_images(spec.path)
    splits = _given_splits(tree)
    left_alone = set(_HELD_OUT) - set(splits) if splits else set()
    classes = set() if splits else set(tree.folders)
    placed: list[tuple[str, Split | None, Photo]] = []
    skipped = list(tree.refused)
    for name, photo in tree.files.items():
        top, *rest = name.split("/")
        class_parts = rest if splits else [top, *rest]
        if top in left_alone:
            continue
        if len(class_parts) < 2 or (splits and top not in splits):
            skipped.append(Skipped(name=name, reason="in no class folder"))
            continue
        classes.add(class_parts[0])
        placed.append((class_parts[0], splits.get(top), photo))
    names = tuple(sorted(classes))
    label_of = {name: label for label, name in enumerate(names)}
    return Listing(
        classes=names,
        photos=tuple(photo for _, _, photo in placed),
        samples=tuple(
            Sample(photo=index, label=label_of[class_name], split=split)
            for index, (class_name, split, _) in enumerate(placed)
        ),
        skipped=tuple(skipped),
    )


def _given_splits(tree: Tree) -> dict[str, Split]:
    """The top folders that are the two parts of a given split; empty where the top folders are classes."""
    held_out = [name for name in _HELD_OUT if name in tree.folders]
    if _TRAIN not in tree.folders or not held_out:
        return {}
    return {_TRAIN: "train", held_out[0]: "validation"}
