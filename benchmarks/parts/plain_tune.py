"""Plain Ray Tune with OptunaSearch in memory: ``python -m benchmarks.parts.plain_tune TRIALS SEED``.

Prints the seconds from the first trial's end to the last one's.
"""

import os
import random
import sys
import tempfile
import time
from typing import Any

from search.samplers.optuna_trials import chooser_of

os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")

import optuna
import ray
from ray import tune
from ray.tune.search.optuna import OptunaSearch

from benchmarks.parts.null_trial import null_metrics
from search.study.draw import draw
from search.study.space_spec import SpaceSpec


class PlainTrial(tune.Trainable):  # type: ignore[misc]
    def setup(self, config: dict[str, Any]) -> None:
        self._random = random.Random(0)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        return True

    def step(self) -> dict[str, Any]:
        return {**null_metrics(self._random), "done": True}


class Clock(tune.Callback):  # type: ignore[misc]
    """Notes when trials end."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        self.ends.append(time.perf_counter())


_SPACE = SpaceSpec.model_validate({"image_size": 16, "batch_size": [32, 64]})


def _candidate(trial: optuna.Trial) -> dict[str, str]:
    return {"candidate": draw(_SPACE, chooser_of(trial), classes=10).model_dump_json()}


def main(trials: int, seed: int) -> None:
    ray.init(address="local", num_cpus=2, log_to_driver=False)
    search = OptunaSearch(
        space=_candidate,
        metric=["f1", "latency_ms"],
        mode=["max", "min"],
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True),
    )
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        tune.Tuner(
            tune.with_resources(PlainTrial, {"cpu": 1}),
            tune_config=tune.TuneConfig(
                search_alg=search, num_samples=trials, max_concurrent_trials=2, reuse_actors=True
            ),
            run_config=tune.RunConfig(
                storage_path=folder,
                callbacks=[clock],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        ).fit()
    ray.shutdown()
    print(max(clock.ends) - min(clock.ends))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
