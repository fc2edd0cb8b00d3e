"""Which data sets a server admits, looked at without decoding anything."""

from collections.abc import Sequence
from pathlib import Path

from search.dataset import DatasetSpec
from services.errors import RejectedError


def admitted(spec: DatasetSpec, roots: Sequence[Path] | None) -> DatasetSpec:
    """The spec with its path resolved, symbolic links included.

    RejectedError if there is nothing at the path or if it lies outside the data roots; without roots any path will do.
    """
    if spec.path is None:
        return spec
    path = Path(spec.path).expanduser().resolve()
    if roots is not None and not any(path.is_relative_to(root.resolve()) for root in roots):
        allowed = ", ".join(str(root) for root in roots)
        raise RejectedError("dataset.path", f"must lie under a data root of this server: {allowed}")
    if not path.exists():
        raise RejectedError("dataset.path", f"there is nothing at {path}: give a path that the server can read")
    return spec.model_copy(update={"path": str(path)})
