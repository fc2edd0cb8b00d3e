"""StudyDataset: where a study's images are, and what they were when the study first read them."""

from collections.abc import Sequence
from dataclasses import dataclass

from search.contract.dataset import DatasetSpec

#: Classes whose numbers of images a reason names.
_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class StudyDataset:
    """``id`` hashes the bytes, labels and given splits of the training and validation images.

    ``class_images`` counts these images, in the order of ``classes``; None in studies of versions that did not count.
    """

    spec: DatasetSpec
    id: str
    classes: tuple[str, ...]
    class_images: tuple[int, ...] | None

    def __hash__(self) -> int:
        """By the images alone: a spec may hold a mapping, which has no hash."""
        return hash(self.id)

    def difference(self, classes: Sequence[str], class_images: Sequence[int]) -> str:
        """What differs from images of another id, as these are now: the numbers of classes and images, and where."""
        before, now = self.class_images, dict(zip(classes, class_images, strict=True))
        summary = f"{_counted(self.classes, before)} then, {_counted(classes, class_images)} now"
        if before is None:
            added = [f"new class {name!r}" for name in classes if name not in self.classes]
            gone = [f"no class {name!r}" for name in self.classes if name not in now]
            details = added + gone or ["other images"]
        else:
            then = dict(zip(self.classes, before, strict=True))
            changed = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
            details = [f"{name!r}: {then.get(name, 0)}, now {now.get(name, 0)}" for name in changed]
            details = details or ["as many of each class, but other images or another split"]
        more = f"; {len(details) - _NAMED} classes more" if len(details) > _NAMED else ""
        return f"{summary} ({'; '.join(details[:_NAMED])}{more})"

    def counted(self) -> str:
        """The numbers of classes and images when the study began."""
        return _counted(self.classes, self.class_images)


def _counted(classes: Sequence[str], class_images: Sequence[int] | None) -> str:
    return f"{len(classes)} class{'' if len(classes) == 1 else 'es'}" + (
        "" if class_images is None else f" of {sum(class_images)} images"
    )
