"""A trial that trains nothing, and the Ray job that searches a study with it."""

import argparse
import random
from typing import Any

import ray
from ray import tune

from services.jobs.search_job import run
from services.settings import settings
from workers.actors.hosts import NAMESPACE
from workers.actors.trial import TrialTask


class NullTrial(tune.Trainable):  # type: ignore[misc]
    """Reports random metrics in its first step."""

    def setup(self, config: dict[str, Any], task: TrialTask | None = None) -> None:
        self._random = random.Random(0)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        return True

    def step(self) -> dict[str, Any]:
        metrics = null_metrics(self._random)
        return {**metrics, "metrics": metrics, "done": True}


def null_metrics(source: random.Random) -> dict[str, float]:
    return {
        "f1": source.random(),
        "accuracy": source.random(),
        "latency_ms": 0.1 + source.random(),
        "macs": source.randrange(10**6, 10**7),
        "params": source.randrange(10**4, 10**5),
        "size_bytes": source.randrange(10**5, 10**6),
        "score": source.random(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("study_id")
    ray.init(namespace=NAMESPACE, log_to_driver=False)
    run(parser.parse_args().study_id, settings(), trainable=NullTrial)
