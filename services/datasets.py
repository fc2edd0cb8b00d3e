"""Which data sets a server admits, looked at without decoding anything."""

from collections.abc import Sequence
from pathlib import Path

from search.dataset import DatasetSpec
from services.errors import RejectedError


def admitted(spec: DatasetSpec, roots: Sequence[Path] | None) -> DatasetSpec:
    """The spec with every path resolved, symbolic links included.

    RejectedError if there is nothing at a path or if it lies outside the data roots; without roots any path will do.
    URLs are left to the workers, and refused by a server that has data roots.
    """
    places = {field: getattr(spec, field) for field in ("path", "annotations", "classes")}
    resolved = {
        field: _admitted(field, place, roots, may_be_new=spec.download)
        for field, place in places.items()
        if isinstance(place, str)
    }
    return spec.model_copy(update=resolved)


def _admitted(field: str, place: str, roots: Sequence[Path] | None, *, may_be_new: bool) -> str:
    is_url = "://" in place or "::" in place
    if is_url and roots is None:
        return place
    path = Path(place).expanduser().resolve()
    if roots is not None and (is_url or not any(path.is_relative_to(root.resolve()) for root in roots)):
        allowed = ", ".join(str(root) for root in roots)
        raise RejectedError(f"dataset.{field}", f"must lie under a data root of this server: {allowed}")
    if not path.exists() and not may_be_new:
        raise RejectedError(f"dataset.{field}", f"there is nothing at {path}: give a path that the server can read")
    return str(path)
