"""Nothing but the final scoring opens test images."""

import ast
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("api", "search", "services", "workers")


def files_that_name(name: str) -> list[str]:
    """The source files whose code, not only their text, has ``name`` in it."""
    paths = [path for package in _PACKAGES for path in (_ROOT / package).rglob("*.py")]
    return sorted(str(path.relative_to(_ROOT)) for path in paths if name in _names(path))


def _names(path: Path) -> set[str | None]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {getattr(node, kind, None) for node in nodes for kind in ("id", "name", "attr")}


def test_only_the_final_scoring_calls_what_opens_test_images() -> None:
    assert files_that_name("load_test_split") == [
        "workers/actors/final_scoring.py",
        "workers/data/__init__.py",
        "workers/data/test_split.py",
    ]


def test_only_the_scoring_job_runs_the_final_scoring() -> None:
    assert files_that_name("score_on_test") == [
        "services/jobs/test_scoring_job.py",
        "workers/actors/final_scoring.py",
    ]
