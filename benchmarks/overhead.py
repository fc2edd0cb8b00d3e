"""What the service adds to a trial: trials that train nothing, through the service and by plain Ray Tune.

Both sides draw from the same space with TPE, two trials at a time, with actors reused and Tune's loggers off. The time
of a trial is the slope between studies of 20 and of 120 trials; what is left is the fixed start of a study.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.parts.machine import describe, spread
from seedleaf import Client, StudySpec
from tests.server import server_process

_FEW, _MANY = 20, 120
_PLAIN = "benchmarks.parts.plain_tune"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    os.environ["SEEDLEAF_SEARCH_COMMAND"] = f"{sys.executable} -m benchmarks.parts.null_trial"
    times: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, server_process(Path(folder) / "home") as server:
        client = Client(server.url)
        for repeat in range(repeats):
            for trials in (_FEW, _MANY):
                times.setdefault(("service", trials), []).append(_through_service(client, trials, repeat))
                times.setdefault(("plain", trials), []).append(_plain(trials, repeat))
    print(f"{describe()}; slope between {_FEW} and {_MANY} trials, two at a time")
    slopes = {side: _slopes(times, side) for side in ("service", "plain")}
    for side, values in slopes.items():
        start = median(times[side, _FEW]) - _FEW * median(values)
        print(f"{side:8} {spread(values)} s a trial; fixed start {start:.1f} s")
    ratios = [ours / theirs for ours, theirs in zip(slopes["service"], slopes["plain"], strict=True)]
    print(f"ratio    {spread(ratios, 2)}")


def _slopes(times: dict[tuple[str, int], list[float]], side: str) -> list[float]:
    pairs = zip(times[side, _FEW], times[side, _MANY], strict=True)
    return [(many - few) / (_MANY - _FEW) for few, many in pairs]


def _through_service(client: Client, trials: int, seed: int) -> float:
    spec = StudySpec.model_validate(
        {
            "name": f"overhead-{trials}",
            "dataset": {"source": "sklearn"},
            "space": {"image_size": 16, "batch_size": [32, 64]},
            "sampler": {"seed": seed},
            "budget": {"max_trials": trials, "epochs": 1},
            "compression": {"max_candidates": 0},
        }
    )
    started = time.perf_counter()
    study = client.create_study(spec)
    while (state := client.get_study(study.id).state) not in ("COMPLETED", "FAILED"):
        time.sleep(0.05)
    assert state == "COMPLETED", client.get_study(study.id).reason
    return time.perf_counter() - started


def _plain(trials: int, seed: int) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", _PLAIN, str(trials), str(seed)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
