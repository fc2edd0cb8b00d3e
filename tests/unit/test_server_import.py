"""What the API's image has: the server needs nothing beyond it."""

import subprocess
import sys

_NOT_IN_THE_IMAGE = ("torch", "ray", "scipy", "sklearn", "pandas", "matplotlib", "albumentations", "onnx", "workers")


def test_the_server_imports_nothing_that_its_image_lacks() -> None:
    program = f"import api.server, sys; print([name for name in {_NOT_IN_THE_IMAGE} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
