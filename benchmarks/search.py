"""What three searches find on TrashNet in equally many minutes: frontier with early stopping, tpe, and a script.

The first two go through the service and differ in sampler and scheduler alone. The script is Optuna's TPE around a
plain training loop over a DataLoader, one trial after the other on all cores. All sides draw the same kind of networks
(blocks-small at 64 px, no augmentation but flips), see the same share of the training images for as many epochs, and
time an exported file by ONNX Runtime on one thread at batch 1. Their fronts of f1, latency and params are compared by
hypervolume, each metric scaled to the range of all sides' finished trials together.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.parts.machine import describe, spread
from search.contract.metrics import Goal, Metrics, Objective
from search.pareto import hypervolume, losses_of
from seedleaf import Client, StudySpec
from tests.acceptance.studies import ENDED
from tests.server import home_folder, server_process, wait_for

_OBJECTIVES = (
    Objective(metric="f1", goal=Goal.MAXIMIZE),
    Objective(metric="latency_ms", goal=Goal.MINIMIZE),
    Objective(metric="params", goal=Goal.MINIMIZE),
)
_SEARCHES: dict[str, dict[str, Any]] = {
    "frontier": {"sampler": {"name": "frontier"}, "scheduler": {"name": "curve-forecast"}},
    "tpe": {"sampler": {"name": "tpe"}, "scheduler": None},
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A trial that trained for ``training_s``; ``metrics`` if it was finished."""

    training_s: float
    metrics: Metrics | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each side and seed")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--subset", type=float, default=0.4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=[*_SEARCHES, "script"], default=[*_SEARCHES, "script"])
    options = parser.parse_args()
    print(f"{describe()}; {options.data.name}, {options.minutes:g} minutes each, {options.epochs} epochs")
    volumes: dict[str, list[float]] = {side: [] for side in options.sides}
    shares = []
    for seed in range(options.seeds):
        runs = {side: _script(options, seed) if side == "script" else _study(options, side, seed) for side in volumes}
        scale = _Scale([run.metrics for side in runs.values() for run in side if run.metrics is not None])
        for side, trials in runs.items():
            volumes[side].append(scale.hypervolume(trials))
            _print_side(seed, side, trials, volumes[side][-1])
        if {"frontier", "tpe"} <= runs.keys():
            shares.append(_seconds_to_reach(runs["frontier"], scale, volumes["tpe"][-1]) / _seconds(runs["tpe"]))
            print(f"seed {seed} frontier reaches tpe's hypervolume in {shares[-1]:.2f} of its training seconds")
    for side in options.sides[1:]:
        ratios = [own / other for own, other in zip(volumes[options.sides[0]], volumes[side], strict=True)]
        print(f"hypervolume of {options.sides[0]} / {side}: {spread(ratios)}")
    if shares:
        print(f"training seconds to tpe's hypervolume, as a share of tpe's: median {median(shares):.2f}")


def _print_side(seed: int, side: str, trials: Sequence[Run], volume: float) -> None:
    finished = [run.metrics for run in trials if run.metrics is not None]
    best = max(metrics["f1"] for metrics in finished)
    counts = f"{len(finished):4} finished of {len(trials):4} trials, {_seconds(trials):6.0f} s of training"
    print(f"seed {seed} {side:8} {counts}; best f1 {best:.4f}; hypervolume {volume:.4f}", flush=True)


def _study(options: argparse.Namespace, side: str, seed: int) -> list[Run]:
    search = _SEARCHES[side]
    spec = StudySpec.model_validate(
        {
            "name": f"bench-search-{side}-{seed}",
            "dataset": {
                "source": "folder",
                "path": str(options.data.resolve()),
                "subset_fraction": options.subset,
                "seed": seed,
                "test_fraction": 0,
            },
            "space": {"architecture": "blocks-small", "image_size": 64, "batch_size": [32, 64]},
            "objectives": [objective.model_dump(mode="json") for objective in _OBJECTIVES],
            "sampler": {**search["sampler"], "seed": seed},
            "scheduler": search["scheduler"],
            "budget": {"max_trials": 100_000, "epochs": options.epochs, "max_minutes": options.minutes},
            "compression": {"max_candidates": 0},
        }
    )
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        study = client.create_study(spec)
        timeout_s = 60 * options.minutes + 600
        wait_for(lambda: client.get_study(study.id).state in ENDED, timeout_s=timeout_s, what="the study to end")
        trials = [client.get_trial(trial.id) for trial in client.iter_trials(study_id=study.id)]
    return [
        Run(
            training_s=sum(epoch.elapsed_s for epoch in trial.epochs),
            metrics=trial.metrics if trial.state == "COMPLETED" else None,
        )
        for trial in sorted(trials, key=lambda trial: trial.number)
        if trial.epochs
    ]


def _script(options: argparse.Namespace, seed: int) -> list[Run]:
    command = [sys.executable, "-m", "benchmarks.parts.plain_search", str(options.data.resolve())]
    numbers = (options.minutes, options.epochs, options.subset, seed)
    done = subprocess.run([*command, *map(str, numbers)], check=True, text=True, stdout=subprocess.PIPE)
    trials = [json.loads(line) for line in done.stdout.splitlines()]
    return [Run(training_s=60 * options.minutes / len(trials), metrics=metrics) for metrics in trials]


class _Scale:
    """Takes each loss to [0, 1]: the best of all trials dominates a volume of 1."""

    def __init__(self, finished: Sequence[Metrics]) -> None:
        losses = losses_of(_OBJECTIVES, finished)
        self._lowest, self._highest = losses.min(axis=0), losses.max(axis=0)

    def hypervolume(self, trials: Sequence[Run]) -> float:
        losses = losses_of(_OBJECTIVES, [run.metrics for run in trials if run.metrics is not None])
        return hypervolume((losses - self._lowest) / (self._highest - self._lowest), np.ones(len(_OBJECTIVES)))


def _seconds(trials: Sequence[Run]) -> float:
    return sum(run.training_s for run in trials)


def _seconds_to_reach(trials: Sequence[Run], scale: _Scale, volume: float) -> float:
    """Seconds of training until the trials' front has that hypervolume; infinite if it never has."""
    for count in range(1, len(trials) + 1):
        if scale.hypervolume(trials[:count]) >= volume:
            return _seconds(trials[:count])
    return float("inf")


if __name__ == "__main__":
    main()
