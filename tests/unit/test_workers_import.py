"""What the workers' actors import."""

import subprocess
import sys


def test_compression_and_full_trainings_do_not_import_ray_tune() -> None:
    modules = "workers.actors.compressor, workers.actors.compressors, workers.actors.full_training, workers.inputs"
    code = f"import sys; import {modules}; sys.exit('ray.tune' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
