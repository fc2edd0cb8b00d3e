"""The notebook of examples/ from top to bottom, as its reader runs it, against ``seedleaf up``."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.server import Server

_NOTEBOOK = Path(__file__).parents[2] / "examples" / "digits.ipynb"


# Jupyter's own, about its event loops and folders.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_runs_from_top_to_bottom(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDLEAF_URL", server.url)
    notebook = nbformat.read(_NOTEBOOK, as_version=4)
    done = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        "".join(str(output.get("data", "")) for output in cell.outputs) for cell in done.cells if "outputs" in cell
    ]
    waited, front, trials, variants, files = shown[2:7]
    assert "<progress" in waited
    assert "COMPLETED" in waited
    assert "hypervolume" in front
    assert "choice." in trials
    assert "static-int8" in variants
    assert "model.onnx" in files
    assert "predict.py" in files
    assert (tmp_path / "digits-model" / "model.onnx").stat().st_size > 1000
