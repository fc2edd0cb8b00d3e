"""What the API's image has: the server needs nothing beyond it."""

import subprocess
import sys

# Optuna imports scikit-learn, and with it SciPy and pandas, where it is installed; what of ours needs SciPy is named.
_NOT_IN_THE_IMAGE = (
    "torch",
    "ray",
    "albumentations",
    "onnx",
    "workers",
    "search.samplers.frontier",
    "search.tune.early_stopping",
)


def test_the_server_imports_nothing_that_its_image_lacks() -> None:
    program = f"import api.server.serve, sys; print([name for name in {_NOT_IN_THE_IMAGE} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
