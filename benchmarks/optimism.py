"""How much validation flatters: F1 on validation and on test images of the best model of several studies.

A search chooses by validation images, so that their F1 of what it chose is too high. The test images are opened once,
after the study's end. Each study searches pretrained networks of another split; the model is the exported one with the
best validation F1. The benchmark needs no quiet machine: it measures no time.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parts.machine import describe, spread
from seedleaf import Client, StudySpec
from tests.acceptance.studies import ENDED
from tests.server import home_folder, server_process, wait_for

_COMPRESSION_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Macro F1 on the validation and on the ``n`` test images, the latter with its 95% interval."""

    f1: float
    f1_test: float
    low: float
    high: float
    n: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"), help="the .gz files")
    parser.add_argument("--minutes", type=float, default=3.0, help="of search in each study")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    options = parser.parse_args()
    print(f"{describe()}; {options.minutes:g} minutes of search each")
    print("| data set | seed | F1 on validation | F1 on test (95% interval) | test images |\n|---|---|---|---|---|")
    differences = []
    with tempfile.TemporaryDirectory() as root:
        shutil.copytree(options.fashion, Path(root, "FashionMNIST", "raw"))
        for name, dataset in _datasets(options.data.resolve(), root).items():
            for seed in options.seeds:
                best = _study({**dataset, "seed": seed}, name, options.minutes, seed)
                differences.append(best.f1 - best.f1_test)
                on_test = f"{best.f1_test:.3f} ({best.low:.3f} to {best.high:.3f})"
                print(f"| {name} | {seed} | {best.f1:.3f} | {on_test} | {best.n} |", flush=True)
    print(f"F1 on validation less F1 on test: {spread(differences)}")


def _datasets(folder: Path, root: str) -> dict[str, dict[str, object]]:
    fashion = {"source": "torchvision", "name": "FashionMNIST", "path": root}
    return {
        folder.name: {"source": "folder", "path": str(folder)},
        "Fashion-MNIST": {**fashion, "subset_fraction": 0.1, "validation_fraction": 0.05},
        "digits": {"source": "sklearn"},
    }


def _study(dataset: Mapping[str, object], name: str, minutes: float, seed: int) -> Figures:
    spec = StudySpec.model_validate(
        {
            "name": f"bench-optimism-{name}-{seed}",
            "dataset": dataset,
            "space": {"architecture": "pretrained"},
            "sampler": {"seed": seed},
            "budget": {"max_minutes": minutes},
        }
    )
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        study = client.create_study(spec)
        timeout_s = 60 * minutes + _COMPRESSION_S
        wait_for(lambda: client.get_study(study.id).state in ENDED, timeout_s=timeout_s, what="the study to end")
        variants = client.iter_variants(study_id=study.id)
        scored = [variant for variant in variants if variant.runtime != "torch" and variant.f1_test is not None]
    best = max(scored, key=lambda variant: variant.metrics["f1"])
    test = best.f1_test, best.f1_test_low, best.f1_test_high, best.test_images
    f1_test, low, high, n = (value for value in test if value is not None)
    return Figures(f1=best.metrics["f1"], f1_test=f1_test, low=low, high=high, n=int(n))


if __name__ == "__main__":
    main()
