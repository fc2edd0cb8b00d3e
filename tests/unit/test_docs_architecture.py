"""docs/architecture.md names files and folders that exist, and every folder of the packages."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text()


def test_every_path_exists() -> None:
    paths = set(re.findall(r"\b(?:api|docs|search|services|tests|workers)/[\w/.]*\w", TEXT))
    assert len(paths) > 50
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_folder_of_the_packages_is_in_the_table() -> None:
    rows = set(re.findall(r"(?m)^\| `([\w/]+)` \|", TEXT))
    folders = {
        f"{package}/{folder.name}"
        for package in ("api", "search", "services", "workers")
        for folder in (ROOT / package).iterdir()
        if folder.is_dir() and folder.name != "__pycache__"
    }
    assert folders - rows == set()
