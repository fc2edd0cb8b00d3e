"""``python -m api.bundle.predict_once FOLDER``: run FOLDER/predict.py on the image file FOLDER/image.

Prints the probability of each class and the model's median latency as JSON. Exit code 1 with the reason on standard
error if the image cannot be read.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path
from statistics import median
from types import ModuleType

from PIL import Image

_RUNS = 30
#: Images of twice as many pixels are refused; Pillow only warns in between.
_MAX_PIXELS = 2**25


def main() -> None:
    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    folder = Path(sys.argv[1])
    program = _load_module(folder / "predict.py")
    try:
        probabilities = program.predict(folder / "image")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises
        sys.exit(f"the picture cannot be read: {str(error).replace(str(folder) + '/', '')}")
    prepared = program.prepare(folder / "image")
    times_ms = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        program.run(prepared)
        times_ms.append(1000 * (time.perf_counter() - started))
    json.dump({"probabilities": probabilities, "latency_ms": median(times_ms)}, sys.stdout)


def _load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("predict", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
