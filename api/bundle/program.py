"""The program that uses a model, as it is handed out: predict.py and what it reads; and its answer to one picture."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search.contract.dataset import Resize

_PROGRAM = Path(__file__).with_name("predict.py")
_TIMEOUT_S = 30.0


class UnanswerableError(ValueError):
    """The program gave no answer; the message says why."""


def handed_out(classes: Sequence[str], *, side_px: int, resize: Resize) -> dict[str, str]:
    """By name, the program that uses a model.onnx, and what it reads: classes, and how a picture is prepared."""
    preparation = {
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
        "preprocessing.json": _json(preparation),
    }


def answer(model: bytes, classes: Sequence[str], image: bytes, *, side_px: int, resize: Resize) -> dict[str, Any]:
    """The program's probability of each class for an encoded ``image``, and the median latency of the model alone.

    ``model`` is an ONNX file's content. It runs in a process of its own: a hostile picture can end that, and no more.
    UnanswerableError if there is no answer.
    """
    with tempfile.TemporaryDirectory(prefix="seedleaf-try-") as scratch:
        folder = Path(scratch)
        (folder / "model.onnx").write_bytes(model)
        (folder / "image").write_bytes(image)
        for name, text in handed_out(classes, side_px=side_px, resize=resize).items():
            (folder / name).write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "api.bundle.answer", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise UnanswerableError(f"it took more than {_TIMEOUT_S:g} s") from error
    if done.returncode:
        raise UnanswerableError((done.stderr.strip() or "its process was ended").splitlines()[-1])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
