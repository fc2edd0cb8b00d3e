"""Every file of examples/ is what it is meant to be: each has one check, so that a file of a new kind needs one too."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from api.cli.documents import read_policy, read_spec

_FOLDER = Path(__file__).parents[2] / "examples"


def _is_a_study(path: Path) -> None:
    """As ``seedleaf study create`` reads it; its data set need not be there."""
    assert read_spec(path).name == path.stem


def _is_a_policy(path: Path) -> None:
    assert read_policy(path).operations


def _is_a_notebook(path: Path) -> None:
    """Its cells can be read, and none has been run; tests/acceptance/test_notebook.py runs them."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    for cell in cells:
        compile(cell.source, str(path), "exec")
        assert cell.outputs == []


_CHECKS: dict[str, Callable[[Path], None]] = {
    "*.yaml": _is_a_study,
    "policies/*.yaml": _is_a_policy,
    "digits.ipynb": _is_a_notebook,
}
_FILES = sorted(path.relative_to(_FOLDER) for path in _FOLDER.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", _FILES, ids=str)
def test_a_file_is_what_it_is_meant_to_be(name: Path) -> None:
    (check,) = [check for pattern, check in _CHECKS.items() if _FOLDER / name in _FOLDER.glob(pattern)]
    check(_FOLDER / name)


@pytest.mark.parametrize("pattern", _CHECKS)
def test_there_are_files_of_every_kind(pattern: str) -> None:
    assert list(_FOLDER.glob(pattern))
