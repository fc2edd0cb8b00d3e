"""The program in a bundle: predict.py with its data files, and one prediction by it in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from api.schemas import Prediction
from search.contract.dataset import Resize

_PROGRAM = Path(__file__).with_name("predict.py")
_RUNNER = Path(__file__).with_name("predict_once.py")
_TIMEOUT_S = 30.0
#: What the process is told of the server's environment, which holds passwords and tokens.
_HARMLESS = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")


class PredictionError(ValueError):
    """The program made no prediction; the message says why."""


def program_files(classes: Sequence[str], *, side_px: int, resize: Resize) -> dict[str, str]:
    """File name -> content: the program for a model.onnx, the class names, and the preprocessing of an image."""
    preprocessing = {
        "color": "RGB",
        "resize": resize,
        "resample": "bilinear",
        "side_px": side_px,
        "divide_by": 255,
        "layout": "NCHW",
        "dtype": "float32",
    }
    return {
        "predict.py": _PROGRAM.read_text(encoding="utf-8"),
        "labels.json": _json(classes),
        "preprocessing.json": _json(preprocessing),
    }


def predict(model: bytes, classes: Sequence[str], image: bytes, *, side_px: int, resize: Resize) -> Prediction:
    """Predict one encoded ``image`` with an ONNX ``model`` and time the model alone.

    The program runs in a process of its own, with limits and without the server's secrets: that is all that a hostile
    image can crash. PredictionError if the image cannot be read, or if the process takes more than 30 seconds.
    """
    with tempfile.TemporaryDirectory(prefix="seedleaf-try-") as scratch:
        folder = Path(scratch)
        (folder / "model.onnx").write_bytes(model)
        (folder / "image").write_bytes(image)
        for name, text in program_files(classes, side_px=side_px, resize=resize).items():
            (folder / name).write_text(text, encoding="utf-8")
        command = [sys.executable, str(_RUNNER), str(folder)]
        environment = {name: os.environ[name] for name in _HARMLESS if name in os.environ}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environment, cwd=folder
            )
        except subprocess.TimeoutExpired as error:
            raise PredictionError(f"it took more than {_TIMEOUT_S:g} s") from error
    if done.returncode:
        raise PredictionError((done.stderr.strip() or "its process was ended").splitlines()[-1])
    return Prediction.model_validate_json(done.stdout)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
