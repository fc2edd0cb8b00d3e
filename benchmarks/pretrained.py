"""What a study of pretrained networks finds in the minutes that a plain fine-tuning script gets, on TrashNet.

The script fine-tunes EfficientNet-Lite0 whole and cut, one model after the other (parts/plain_fine_tuning.py). The
study has five lines and defaults for the rest; its compression counts into its minutes. Where several numbers of
minutes are asked for, the script runs once for each split, and what it has finished by then counts. Both sides choose
by validation images, and their macro F1 is that of test images that neither has opened: 15% of each class, drawn anew
for each seed.
L is the latency of the script's whole network at 96 px. For at most 0.75, 0.3, 0.12 and 0.06 L the model with the
best validation F1 of each side is printed with its F1 on test.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import fmean

import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

from benchmarks.parts.machine import describe, spread
from search.contract.metrics import Goal, Objective
from search.pareto import front, hypervolume, losses_of
from seedleaf import Client, StudySpec
from tests.acceptance.studies import ENDED
from tests.server import home_folder, server_process, wait_for

_OBJECTIVES = (Objective(metric="f1", goal=Goal.MAXIMIZE), Objective(metric="latency_ms", goal=Goal.MINIMIZE))
_FRACTIONS = (0.75, 0.3, 0.12, 0.06)
_TEST_FRACTION = 0.15
#: What the compression of ten networks by two recipes gets of the minutes.
_COMPRESSION_MINUTES = 2.5


@dataclass(frozen=True, kw_only=True)
class Model:
    """Macro F1 on validation and test images, and the median latency of the file at batch 1 on one thread."""

    f1: float
    f1_test: float
    latency_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0], help="of each side and seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one split of the images each")
    options = parser.parse_args()
    print(f"{describe()}; {options.data.name}", flush=True)
    comparisons = {minutes: Comparison() for minutes in sorted(options.minutes)}
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            split_folder(options.data, Path(folder), seed)
            script = _script(Path(folder), max(comparisons), seed)
            for minutes, comparison in comparisons.items():
                in_time = [model for model, finished_s in script if finished_s <= 60 * minutes]
                if not in_time:
                    sys.exit(f"the script finished no model within {minutes:g} minutes: give both sides more")
                print(f"seed {seed}, {minutes:g} minutes", flush=True)
                comparison.add(_study(Path(folder), minutes, seed), in_time)
    for minutes, comparison in comparisons.items():
        comparison.summarize(minutes)


@dataclass(frozen=True)
class Comparison:
    """Both sides' figures for one number of minutes, a value for each seed."""

    f1_test: dict[tuple[str, float], list[float]] = field(default_factory=dict)
    ratios: list[float] = field(default_factory=list)

    def add(self, study: Sequence[Model], script: Sequence[Model]) -> None:
        """Compare the models of one seed; the script's first one is the whole network at 96 px."""
        whole_ms = script[0].latency_ms
        print(f"  L is {whole_ms:.3f} ms")
        for fraction in _FRACTIONS:
            best = {"study": _best(study, fraction * whole_ms), "script": _best(script, fraction * whole_ms)}
            for side, value in best.items():
                self.f1_test.setdefault((side, fraction), []).append(value)
            print(f"  at most {fraction:4g} L: study {best['study']:.3f}, script {best['script']:.3f}")
        volumes = [_hypervolume(models, whole_ms) for models in (study, script)]
        self.ratios.append(volumes[0] / volumes[1])
        print(
            f"  hypervolume: study {volumes[0]:.4f}, script {volumes[1]:.4f}, ratio {self.ratios[-1]:.3f}", flush=True
        )

    def summarize(self, minutes: float) -> None:
        """Print the means over the seeds."""
        print(f"{minutes:g} minutes")
        for (side, fraction), values in self.f1_test.items():
            print(f"  F1 on test at most {fraction:4g} L, {side}: mean {fmean(values):.3f}, {spread(values)}")
        print(f"  hypervolume of the study over the script's: {spread(self.ratios)}")


def split_folder(source: Path, target: Path, seed: int) -> None:
    """Copy a folder of class folders to ``train`` and ``test`` of another."""
    paths = [path for path in sorted(source.rglob("*")) if path.is_file() and path.parent != source]
    labels = [path.relative_to(source).parts[0] for path in paths]
    train, test = train_test_split(paths, test_size=_TEST_FRACTION, stratify=labels, random_state=seed)
    for part, chosen in (("train", train), ("test", test)):
        for path in chosen:
            copy = target / part / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _best(models: Sequence[Model], most_ms: float) -> float:
    """F1 on test of the model with the best validation F1; 0 if no model is that fast."""
    fast = [model for model in models if model.latency_ms <= most_ms]
    return max(fast, key=lambda model: model.f1).f1_test if fast else 0.0


def _hypervolume(models: Sequence[Model], whole_ms: float) -> float:
    """Of F1 on test above 0, and of latency below L as a fraction of L."""
    metrics = [{"f1": model.f1_test, "latency_ms": model.latency_ms / whole_ms} for model in models]
    return hypervolume(losses_of(_OBJECTIVES, metrics), np.array([0.0, 1.0]))


def _script(folder: Path, minutes: float, seed: int) -> list[tuple[Model, float]]:
    """Each finished model, and the seconds after which it was finished."""
    command = [sys.executable, "-m", "benchmarks.parts.plain_fine_tuning", str(folder), str(minutes), str(seed)]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    print(done.stdout, end="", flush=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        (Model(f1=line["f1"], f1_test=line["f1_test"], latency_ms=line["latency_ms"]), line["elapsed_s"])
        for line in lines
    ]


def _study(folder: Path, minutes: float, seed: int) -> list[Model]:
    """The front of the models made within the minutes, measured on the test images after the study's end."""
    spec = StudySpec.model_validate(
        {
            "name": f"bench-pretrained-{seed}",
            "dataset": {"source": "folder", "path": str(folder), "seed": seed},
            "space": {"architecture": "pretrained"},
            "sampler": {"seed": seed},
            "budget": {"max_minutes": minutes - _COMPRESSION_MINUTES},
        }
    )
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        started = time.monotonic()
        study = client.create_study(spec)
        timeout_s = 60 * minutes + 1800
        wait_for(lambda: client.get_study(study.id).state in ENDED, timeout_s=timeout_s, what="the study to end")
        print(f"the study took {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
        limit = study.created_at + timedelta(minutes=minutes)
        variants = [variant for variant in client.iter_variants(study_id=study.id) if variant.created_at <= limit]
        models = []
        for position in front(losses_of(_OBJECTIVES, [variant.metrics for variant in variants])):
            variant = variants[position]
            f1_test = _test_f1(variant.download(home / variant.id), folder / "test")
            model = Model(f1=variant.metrics["f1"], f1_test=f1_test, latency_ms=variant.metrics["latency_ms"])
            print(f"  {variant.recipe}: {model}", flush=True)
            models.append(model)
    return models


def _test_f1(model: Path, test: Path) -> float:
    """Macro F1 of what the downloaded model's own program predicts."""
    paths = [str(path) for path in sorted(test.rglob("*")) if path.is_file()]
    command = [sys.executable, str(model / "predict.py"), *paths]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    predicted = [line.split("\t")[1] for line in done.stdout.splitlines()]
    return float(f1_score([Path(path).parent.name for path in paths], predicted, average="macro"))


if __name__ == "__main__":
    main()
