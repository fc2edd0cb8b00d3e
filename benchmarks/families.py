"""Whether a search over two families loses anything where pretrained networks help little: digits and Fashion-MNIST.

For each data set and seed two studies get the same minutes of search: one over pretrained networks and blocks-small,
one over blocks-small alone. Their fronts of f1 and latency are compared by hypervolume, each metric scaled to the range
of both sides' finished trials together. Of Fashion-MNIST, trials see a tenth of the training images.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.parts.machine import describe, spread
from search.contract.metrics import Goal, Metrics, Objective
from search.pareto import hypervolume, losses_of
from seedleaf import Client, StudySpec
from tests.acceptance.studies import ENDED
from tests.server import home_folder, server_process, wait_for

_OBJECTIVES = (Objective(metric="f1", goal=Goal.MAXIMIZE), Objective(metric="latency_ms", goal=Goal.MINIMIZE))
_SIDES: dict[str, list[str]] = {"union": ["pretrained", "blocks-small"], "blocks-small": ["blocks-small"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"), help="the .gz files")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each search")
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    print(f"{describe()}; {options.minutes:g} minutes each", flush=True)
    ratios = []
    with tempfile.TemporaryDirectory() as root:
        shutil.copytree(options.fashion, Path(root, "FashionMNIST", "raw"))
        for name, dataset in _datasets(root).items():
            for seed in range(options.seeds):
                trials = {side: _study(dataset, side, options.minutes, seed) for side in _SIDES}
                volumes = _hypervolumes(trials["union"], trials["blocks-small"])
                ratios.append(volumes[0] / volumes[1])
                for (side, finished), volume in zip(trials.items(), volumes, strict=True):
                    best = max(metrics["f1"] for metrics in finished)
                    print(f"{name} seed {seed} {side:12} {len(finished):3} trials, best f1 {best:.3f}, {volume:.4f}")
                print(f"{name} seed {seed} ratio {ratios[-1]:.3f}", flush=True)
    print(f"hypervolume of the union over blocks-small's: {spread(ratios)}")


def _datasets(root: str) -> dict[str, dict[str, object]]:
    fashion = {"source": "torchvision", "name": "FashionMNIST", "path": root}
    return {
        "digits": {"source": "sklearn"},
        "fashion": {**fashion, "subset_fraction": 0.1, "validation_fraction": 0.05},
    }


def _study(dataset: dict[str, object], side: str, minutes: float, seed: int) -> list[Metrics]:
    """The metrics of the finished trials."""
    spec = StudySpec.model_validate(
        {
            "name": f"bench-families-{side}-{seed}",
            "dataset": {**dataset, "seed": seed},
            "space": {"architecture": _SIDES[side], "image_size": [32, 48]},
            "sampler": {"seed": seed},
            "budget": {"max_trials": 100_000, "max_minutes": minutes},
            "compression": {"max_candidates": 0},
        }
    )
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        study = client.create_study(spec)
        timeout_s = 60 * minutes + 600
        wait_for(lambda: client.get_study(study.id).state in ENDED, timeout_s=timeout_s, what="the study to end")
        return [trial.metrics for trial in client.iter_trials(study_id=study.id) if trial.state == "COMPLETED"]


def _hypervolumes(*sides: Sequence[Metrics]) -> list[float]:
    """Each loss is scaled to [0, 1]: the best values of all sides dominate a volume of 1."""
    losses = [losses_of(_OBJECTIVES, side) for side in sides]
    lowest, highest = np.concatenate(losses).min(axis=0), np.concatenate(losses).max(axis=0)
    return [hypervolume((own - lowest) / (highest - lowest), np.ones(len(_OBJECTIVES))) for own in losses]


if __name__ == "__main__":
    main()
