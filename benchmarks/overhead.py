"""What the service adds to a trial: trials that train nothing, through the service and by plain Ray Tune.

Both sides draw from the same space with TPE, two trials at a time, with actors reused and Tune's loggers off. Of a
study, the time from its first trial's end to its last one's counts; the time of a trial is the slope between studies of
20 and of 120 trials. What is left of a study's whole time is its fixed start.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median

from benchmarks.parts.machine import describe, spread
from seedleaf import Client, StudySpec
from tests.server import home_folder, server_process

_FEW, _MANY = 20, 120
_SIDES = ("service", "plain")


@dataclass(frozen=True, kw_only=True)
class Run:
    """``trials_s`` from the first trial's end to the last one's; ``whole_s`` from the start to the end."""

    trials_s: float
    whole_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    runs: dict[tuple[str, int], list[Run]] = {(side, trials): [] for side in _SIDES for trials in (_FEW, _MANY)}
    os.environ["SEEDLEAF_SEARCH_COMMAND"] = f"{sys.executable} -m benchmarks.parts.null_trial"
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        for repeat in range(repeats):
            for trials in (_FEW, _MANY):
                runs["service", trials].append(_through_service(client, trials, repeat))
                runs["plain", trials].append(_plain(trials, repeat))
    print(f"{describe()}; slope between {_FEW} and {_MANY} trials, two at a time")
    slopes = {side: _slopes(runs[side, _FEW], runs[side, _MANY]) for side in _SIDES}
    for side in _SIDES:
        start_s = median(run.whole_s - run.trials_s for run in runs[side, _FEW] + runs[side, _MANY])
        print(f"{side:8} {spread(slopes[side])} s a trial; fixed start {start_s:.1f} s")
    ratios = [ours / theirs for ours, theirs in zip(slopes["service"], slopes["plain"], strict=True)]
    print(f"ratio    {spread(ratios, 2)}")


def _slopes(few: list[Run], many: list[Run]) -> list[float]:
    return [(b.trials_s - a.trials_s) / (_MANY - _FEW) for a, b in zip(few, many, strict=True)]


def _through_service(client: Client, trials: int, seed: int) -> Run:
    spec = StudySpec.model_validate(
        {
            "name": f"overhead-{trials}",
            "dataset": {"source": "sklearn"},
            "space": {"image_size": 16, "batch_size": [32, 64]},
            "sampler": {"name": "tpe", "seed": seed},
            "budget": {"max_trials": trials, "epochs": 1},
            "compression": {"max_candidates": 0},
        }
    )
    started = time.perf_counter()
    study = client.create_study(spec)
    while (state := client.get_study(study.id).state) not in ("COMPLETED", "FAILED"):
        time.sleep(0.5)
    whole_s = time.perf_counter() - started
    assert state == "COMPLETED", client.get_study(study.id).reason
    ends = [trial.finished_at for trial in client.iter_trials(study_id=study.id) if trial.finished_at]
    assert len(ends) == trials
    return Run(trials_s=(max(ends) - min(ends)).total_seconds(), whole_s=whole_s)


def _plain(trials: int, seed: int) -> Run:
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.parts.plain_tune", str(trials), str(seed)]
    printed = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return Run(trials_s=float(printed.split()[-1]), whole_s=time.perf_counter() - started)


if __name__ == "__main__":
    main()
