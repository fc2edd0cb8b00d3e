"""A study against the script that it replaces: what each finds on TrashNet in equally many minutes.

The script is Optuna's TPE around a plain training loop over a DataLoader, one trial after the other on all cores. Both
sides draw the same kind of networks (blocks-small at 64 px, no augmentation but flips), see the same share of the
training images for as many epochs, and time an exported file by ONNX Runtime on one thread at batch 1. Their fronts of
f1, latency and params are compared by hypervolume, each metric scaled to the range of both sides' trials together.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.parts.machine import describe
from search.metrics import Goal, Metrics, Objective
from search.pareto import hypervolume, losses_of
from seedleaf import Client, StudySpec
from tests.acceptance.studies import ENDED
from tests.server import home_folder, server_process, wait_for

_OBJECTIVES = (
    Objective(metric="f1", goal=Goal.MAXIMIZE),
    Objective(metric="latency_ms", goal=Goal.MINIMIZE),
    Objective(metric="params", goal=Goal.MINIMIZE),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--subset", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    study = _study(options)
    script = _script(options)
    lowest, highest = _range([*study, *script])
    print(f"{describe()}; {options.data.name}, {options.minutes:g} minutes each, {options.epochs} epochs")
    for name, trials in {"study": study, "script": script}.items():
        best = max(trial["f1"] for trial in trials)
        volume = _hypervolume(trials, lowest, highest)
        print(f"{name:6} {len(trials):4} finished trials; best f1 {best:.4f}; hypervolume {volume:.4f}")
    ratio = _hypervolume(study, lowest, highest) / _hypervolume(script, lowest, highest)
    print(f"ratio  {len(study) / len(script):.2f} in trials, {ratio:.3f} in hypervolume (n=1, seed {options.seed})")


def _study(options: argparse.Namespace) -> list[Metrics]:
    spec = StudySpec.model_validate(
        {
            "name": "bench-search",
            "dataset": {
                "source": "folder",
                "path": str(options.data.resolve()),
                "subset_fraction": options.subset,
                "seed": options.seed,
            },
            "space": {"architecture": "blocks-small", "image_size": 64, "batch_size": [32, 64]},
            "objectives": [objective.model_dump(mode="json") for objective in _OBJECTIVES],
            "sampler": {"name": "tpe", "seed": options.seed},
            "budget": {"max_trials": 100_000, "epochs": options.epochs, "max_minutes": options.minutes},
            "compression": {"max_candidates": 0},
        }
    )
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        study = client.create_study(spec)
        timeout_s = 60 * options.minutes + 600
        wait_for(lambda: client.get_study(study.id).state in ENDED, timeout_s=timeout_s, what="the study to end")
        return [trial.metrics for trial in client.iter_trials(study_id=study.id) if trial.state == "COMPLETED"]


def _script(options: argparse.Namespace) -> list[Metrics]:
    command = [sys.executable, "-m", "benchmarks.parts.plain_search", str(options.data.resolve())]
    numbers = (options.minutes, options.epochs, options.subset, options.seed)
    done = subprocess.run([*command, *map(str, numbers)], check=True, text=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _range(trials: Sequence[Metrics]) -> tuple[np.ndarray, np.ndarray]:
    losses = losses_of(_OBJECTIVES, trials)
    return losses.min(axis=0), losses.max(axis=0)


def _hypervolume(trials: Sequence[Metrics], lowest: np.ndarray, highest: np.ndarray) -> float:
    """Of losses scaled to [0, 1], bounded by 1: the best of all trials dominates a volume of 1."""
    scaled = (losses_of(_OBJECTIVES, trials) - lowest) / (highest - lowest)
    return hypervolume(scaled, np.ones(len(_OBJECTIVES)))


if __name__ == "__main__":
    main()
