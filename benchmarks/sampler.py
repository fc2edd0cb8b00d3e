"""Samplers on NAS-Bench-Macro: the share of the true front's hypervolume after so many trainings, read from the table.

Every sampler runs in plain Optuna, in the same process, on the same seeds; a training's accuracy is one of the table's
three by chance. Any other table of the same form can be given. Then the time of a suggestion.
"""

import argparse
import time
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

from benchmarks.parts.machine import describe, spread
from benchmarks.parts.tables import DIRECTIONS, Table
from search.samplers.frontier import FrontierSampler
from search.samplers.optuna_trials import chooser_of

MARKS = (25, 50, 70, 100, 200, 400)
#: How far each sampler is taken, and with how many trials in flight.
RUNS = {"random": (400, 1), "tpe": (200, 1), "nsga2": (400, 1), "frontier": (200, 1), "frontier, 4 in flight": (200, 4)}
_RANDOM_AT_400 = 0.911


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path("../shared/data/nas-bench-macro/cifar10.json")
    parser.add_argument("--table", type=Path, default=default, help="JSON: code, accuracies, FLOPs and params")
    parser.add_argument("--lowest-accuracy", type=float, default=85.0, help="in percent, the hypervolume's bound")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"{describe()}; {options.table.name}, median of {options.seeds} seeds [least, most]")
    names = [name for name in RUNS for _ in range(options.seeds)]
    seeds = list(range(options.seeds)) * len(RUNS)
    with ProcessPoolExecutor(options.processes) as pool:
        shares = list(pool.map(partial(_replay, options.table, options.lowest_accuracy), names, seeds))
    for name, (evaluations, _) in RUNS.items():
        _print_shares(name, evaluations, [run for run, owner in zip(shares, names, strict=True) if owner == name])
    for trials in (10, 100, 1000):
        first_s, next_s = _suggestion_s(_table(options.table, options.lowest_accuracy), trials)
        print(f"suggestion at {trials:4} trials: the first {first_s:.2f} s, the next {spread(next_s, 2)} s")


def _print_shares(name: str, evaluations: int, runs: Sequence[Sequence[float]]) -> None:
    print(name)
    for mark in MARKS:
        if mark <= evaluations:
            print(f"  {mark:4}  {spread([run[mark - 1] for run in runs])}")
    reached = [next((count for count, share in enumerate(run, 1) if share >= _RANDOM_AT_400), None) for run in runs]
    counts = [count for count in reached if count is not None]
    if counts:
        print(
            f"  {_RANDOM_AT_400} after {spread(counts, 0)} evaluations, reached by {len(counts)} of {len(runs)} seeds"
        )


@lru_cache(maxsize=1)
def _table(path: Path, lowest_accuracy: float) -> Table:
    return Table(path, lowest_accuracy_pct=lowest_accuracy)


def _replay(path: Path, lowest_accuracy: float, name: str, seed: int) -> list[float]:
    """The share of the front's hypervolume after each evaluation."""
    table, rng = _table(path, lowest_accuracy), np.random.default_rng(seed)
    evaluations, concurrency = RUNS[name]
    study = optuna.create_study(directions=list(DIRECTIONS), sampler=_sampler(name, table, seed))
    running: deque[tuple[optuna.Trial, str]] = deque()
    codes: list[str] = []
    while len(codes) < evaluations:
        while len(running) < concurrency:
            trial = study.ask()
            running.append((trial, table.code(chooser_of(trial))))
        trial, code = running.popleft()
        study.tell(trial, table.train(code, rng))
        codes.append(code)
    return [table.share(codes[:count]) for count in range(1, evaluations + 1)]


def _sampler(name: str, table: Table, seed: int) -> BaseSampler:
    makers: dict[str, Callable[[], BaseSampler]] = {
        "random": lambda: RandomSampler(seed=seed),
        "tpe": lambda: TPESampler(seed=seed, multivariate=True, group=True),
        "nsga2": lambda: NSGAIISampler(seed=seed, population_size=20),
    }
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        return makers.get(name, lambda: FrontierSampler(describe=table.describe, seed=seed))()


def _suggestion_s(table: Table, trials: int) -> tuple[float, list[float]]:
    """Seconds of a new sampler's first suggestion after so many trials, and of the next ones."""
    rng, study = (
        np.random.default_rng(0),
        optuna.create_study(directions=list(DIRECTIONS), sampler=RandomSampler(seed=0)),
    )
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, table.train(table.code(chooser_of(trial)), rng))
    study.sampler = FrontierSampler(describe=table.describe, seed=0)
    taken_s = []
    for _ in range(6):
        started_s = time.perf_counter()
        trial = study.ask()
        code = table.code(chooser_of(trial))
        taken_s.append(time.perf_counter() - started_s)
        study.tell(trial, table.train(code, rng))
    return taken_s[0], taken_s[1:]


if __name__ == "__main__":
    main()
