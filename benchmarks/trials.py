"""What a trial costs beyond its training steps: real trials, one after another in one warm worker.

The trials are random candidates of blocks-small at 64 px, 3 epochs on the whole training split, on one thread, as a
study's worker runs them: build, export, a look at the latency by the host's benchmark slot, training with a score an
epoch, weights. The first is not counted: it decodes the data. The ratio is the time from the second's start to the
last's end over the time that was spent inside training steps.
"""

import argparse
import tempfile
import time
from pathlib import Path

import ray

from benchmarks.parts.machine import describe, spread
from search.samplers.optuna_trials import random_choosers
from search.study.draw import draw
from search.study.spec import StudySpec
from workers.actors.hosts import NAMESPACE, RESOURCE
from workers.actors.trial import TrialTask, run_trial
from workers.data import load_dataset
from workers.latency.gate import HostGate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    spec = _spec(options.data, options.epochs)
    ray.init(
        "local", namespace=NAMESPACE, num_cpus=2, resources={RESOURCE: 1}, log_to_driver=False, logging_level="ERROR"
    )
    with tempfile.TemporaryDirectory() as cache:
        first = load_dataset(spec.dataset, side_px=64, cache_dir=Path(cache)).as_first_read(spec.dataset)
        task = TrialTask.of(spec, spec.resources, dataset=first, cache_dir=Path(cache))
        worker = ray.remote(num_cpus=1)(Worker).remote(task, spec)
        ray.get(worker.run.remote(0))
        started = time.perf_counter()
        found = [ray.get(worker.run.remote(seed)) for seed in range(1, options.trials + 1)]
        whole_s = time.perf_counter() - started
    ray.shutdown()
    steps_s = sum(trial["steps_s"] for trial in found)
    print(f"{describe()}; {options.data.name}, 64 px, {options.trials} trials of {options.epochs} epochs")
    print(f"trials {whole_s:.1f} s, their training steps {steps_s:.1f} s, ratio {whole_s / steps_s:.3f}")
    print(f"each: {spread([trial['whole_s'] / trial['steps_s'] for trial in found])}")
    print(f"from the suggestion to the first step: {spread([trial['first_step_s'] for trial in found])} s")


class Worker:
    """Runs one trial after another, and counts the time inside training steps."""

    def __init__(self, task: TrialTask, spec: StudySpec) -> None:
        self._task, self._spec = task, spec

    def run(self, seed: int) -> dict[str, float]:
        candidate = draw(self._spec.space, next(random_choosers(seed)), classes=6)
        started, steps_s, first_step_s = time.perf_counter(), 0.0, 0.0
        for report in run_trial(candidate, self._task, HostGate()):
            assert report.epoch is not None
            first_step_s = first_step_s or time.perf_counter() - started - report.epoch.elapsed_s
            steps_s += report.epoch.steps_s
        return {"whole_s": time.perf_counter() - started, "steps_s": steps_s, "first_step_s": first_step_s}


def _spec(data: Path, epochs: int) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "bench-trials",
            "dataset": {"source": "folder", "path": str(data.resolve()), "test_fraction": 0},
            "space": {"architecture": "blocks-small", "image_size": 64, "batch_size": 64},
            "budget": {"epochs": epochs},
        }
    )


if __name__ == "__main__":
    main()
