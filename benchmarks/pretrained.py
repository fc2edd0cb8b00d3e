"""What a study of pretrained networks finds in the minutes that a plain fine-tuning script gets, on TrashNet.

The script fine-tunes EfficientNet-Lite0 whole and cut, one model after the other (parts/plain_fine_tuning.py). The
study has five lines and defaults for the rest; its compression counts into its minutes. L is the latency of the
script's whole network at 96 px. Both sides' best macro F1 is printed for models that take at most 0.75, 0.3, 0.12 and
0.06 L. F1 is that of validation images, on which both sides chose.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.parts.machine import describe, spread
from search.contract.metrics import Goal, Objective
from search.pareto import hypervolume, losses_of
from seedleaf import Client, StudySpec
from tests.acceptance.studies import ENDED
from tests.server import home_folder, server_process, wait_for

_OBJECTIVES = (Objective(metric="f1", goal=Goal.MAXIMIZE), Objective(metric="latency_ms", goal=Goal.MINIMIZE))
_FRACTIONS = (0.75, 0.3, 0.12, 0.06)
#: Of the minutes; the rest is for compression.
_SEARCH_FRACTION = 0.7


@dataclass(frozen=True, kw_only=True)
class Model:
    """Macro F1 on validation images, and the median latency of the file at batch 1 on one thread."""

    f1: float
    latency_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each side and seed")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    print(f"{describe()}; {options.data.name}, {options.minutes:g} minutes each", flush=True)
    ratios = []
    for seed in range(options.seeds):
        script = _script(options, seed)
        if not script:
            sys.exit(f"the script finished no model within {options.minutes:g} minutes: give both sides more")
        whole_ms = script[0].latency_ms
        started = time.monotonic()
        study = _study(options, seed)
        print(f"seed {seed}: L is {whole_ms:.3f} ms; the study took {(time.monotonic() - started) / 60:.1f} minutes")
        for fraction in _FRACTIONS:
            best = [_best(models, fraction * whole_ms) for models in (study, script)]
            print(f"  at most {fraction:4g} L: study {best[0]:.3f}, script {best[1]:.3f}")
        volumes = [_hypervolume(models, whole_ms) for models in (study, script)]
        ratios.append(volumes[0] / volumes[1])
        print(f"  hypervolume: study {volumes[0]:.4f}, script {volumes[1]:.4f}, ratio {ratios[-1]:.3f}", flush=True)
    print(f"hypervolume of the study over the script's: {spread(ratios)}")


def _best(models: Sequence[Model], most_ms: float) -> float:
    """0 if no model is that fast."""
    return max((model.f1 for model in models if model.latency_ms <= most_ms), default=0.0)


def _hypervolume(models: Sequence[Model], whole_ms: float) -> float:
    """Of f1 above 0, and of latency below L as a fraction of L."""
    metrics = [{"f1": model.f1, "latency_ms": model.latency_ms / whole_ms} for model in models]
    return hypervolume(losses_of(_OBJECTIVES, metrics), np.array([0.0, 1.0]))


def _script(options: argparse.Namespace, seed: int) -> list[Model]:
    command = [sys.executable, "-m", "benchmarks.parts.plain_fine_tuning", str(options.data.resolve())]
    arguments = [str(options.minutes), str(seed)]
    done = subprocess.run([*command, *arguments], check=True, text=True, stdout=subprocess.PIPE)
    print(done.stdout, end="", flush=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [Model(f1=model["f1"], latency_ms=model["latency_ms"]) for model in found]


def _study(options: argparse.Namespace, seed: int) -> list[Model]:
    spec = StudySpec.model_validate(
        {
            "name": f"bench-pretrained-{seed}",
            "dataset": {"source": "folder", "path": str(options.data.resolve()), "seed": seed},
            "space": {"architecture": "pretrained"},
            "sampler": {"seed": seed},
            "budget": {"max_trials": 100_000, "max_minutes": _SEARCH_FRACTION * options.minutes},
        }
    )
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        study = client.create_study(spec)
        timeout_s = 60 * options.minutes + 1800
        wait_for(lambda: client.get_study(study.id).state in ENDED, timeout_s=timeout_s, what="the study to end")
        trials = [trial.metrics for trial in client.iter_trials(study_id=study.id) if trial.state == "COMPLETED"]
        variants = [variant.metrics for variant in client.iter_variants(study_id=study.id)]
    return [Model(f1=metrics["f1"], latency_ms=metrics["latency_ms"]) for metrics in (*trials, *variants)]


if __name__ == "__main__":
    main()
