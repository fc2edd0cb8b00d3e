"""Which paths a server admits."""

from pathlib import Path

import pytest

from search.dataset import DatasetSpec
from services.datasets import admitted
from services.errors import RejectedError


def _coco(path: Path, annotations: str) -> DatasetSpec:
    return DatasetSpec(source="coco", path=str(path), annotations=annotations)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "boxes.json").write_text("{}")
    return root


def test_paths_under_a_root_are_admitted_resolved(root: Path) -> None:
    spec = admitted(_coco(root / ".." / "root", str(root / "boxes.json")), [root])
    assert (spec.path, spec.annotations) == (str(root), str(root / "boxes.json"))


@pytest.mark.parametrize("place", ["/etc/passwd", "file:///etc/passwd", "local::/etc/passwd", "../secret.json"])
def test_nothing_outside_the_roots_is_opened_by_any_field(root: Path, place: str) -> None:
    with pytest.raises(RejectedError, match=r"annotations: must lie under a data root"):
        admitted(_coco(root, place), [root])


def test_a_symbolic_link_counts_as_what_it_points_to(root: Path) -> None:
    (root / "link").symlink_to("/etc")
    with pytest.raises(RejectedError, match=r"path"):
        admitted(DatasetSpec(source="folder", path=str(root / "link")), [root])


def test_without_roots_urls_are_left_to_the_workers() -> None:
    spec = DatasetSpec(source="folder", path="s3://bucket/images")
    assert admitted(spec, None) == spec
