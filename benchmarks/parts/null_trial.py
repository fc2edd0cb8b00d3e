"""A trial that trains nothing, and the Ray job that searches a study with it."""

import argparse
import random

import ray
from ray import tune

from search.contract.reports import CompletedTrial, Measurement, TrialReport
from search.tune.codec import encode_report
from services.jobs.search_job import run
from services.settings import settings
from workers.actors.hosts import NAMESPACE
from workers.actors.trial import TrialTask


class NullTrial(tune.Trainable):  # type: ignore[misc]
    """Reports random metrics in its first step."""

    def setup(self, config: dict[str, object], task: TrialTask | None = None) -> None:
        self._random = random.Random(0)

    def reset_config(self, new_config: dict[str, object]) -> bool:
        return True

    def step(self) -> dict[str, object]:
        measurement = Measurement(metrics=null_metrics(self._random))
        result = CompletedTrial(measurement=measurement)
        return encode_report(TrialReport(epoch=None, measurement=measurement, result=result))


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
