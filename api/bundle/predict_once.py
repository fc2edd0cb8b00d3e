"""``python predict_once.py FOLDER``: run FOLDER/predict.py on the image file FOLDER/image, within limits.

Prints the probability of each class and the model's median latency as JSON. Exit code 1 with the reason on standard
error if the image cannot be read.
"""

import importlib.util
import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from statistics import median
from types import ModuleType

from PIL import Image

_RUNS = 30
#: The server, which has other requests to answer, goes before.
_NICENESS = 10
#: An image of more pixels is refused before it is decoded; one of so many takes a third of a gigabyte.
_MAX_PIXELS = 2**24
_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_CPU: 30,  # seconds
    resource.RLIMIT_DATA: 2 * 2**30,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NOFILE: 64,
}


def main() -> None:
    os.nice(_NICENESS)
    for limit, most in _LIMITS.items():
        _, hard = resource.getrlimit(limit)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (allowed, allowed))
    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)  # Pillow raises at twice as many pixels only
    folder = Path(sys.argv[1])
    program = _load_module(folder / "predict.py")
    try:
        prepared = program.prepare(folder / "image")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        sys.exit(f"the picture has more than {_MAX_PIXELS} pixels: send a smaller one")
    except MemoryError:
        sys.exit("the picture takes too much memory: send a smaller one")
    except (OSError, ValueError, SyntaxError) as error:  # what Pillow raises
        sys.exit(f"the picture cannot be read: {str(error).replace(str(folder) + '/', '')}")
    probabilities = program.probabilities(prepared)
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
