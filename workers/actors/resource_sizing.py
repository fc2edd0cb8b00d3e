"""How many trials share a GPU, by what a measured trial needs: for studies that say ``resources: auto``."""

import math
import time
from dataclasses import dataclass
from itertools import islice
from statistics import median

import ray
import torch
from ray.exceptions import RayTaskError

from search.contract.candidate import Candidate, UnbuildableError
from search.contract.metrics import Metrics, first_complaint
from search.contract.reports import TrialReport
from search.samplers.optuna_trials import random_choosers
from search.study.draw import draw
from search.study.run_spec import LEAST_GPUS, ResourcesSpec
from search.study.spec import StudySpec
from workers.actors.trial import TrialTask, run_trial
from workers.data import DataError
from workers.latency.gate import HostGate
from workers.models import cost_metrics
from workers.training.errors import DeviceMemoryError

#: Candidates by chance, of which two are trained to measure.
_DRAWN = 32
#: What is left of a GPU's memory for peaks that were not measured.
_USABLE_MEMORY = 0.95
#: One more trial than keeps a GPU busy on average, unless the last one would get less than this fraction of it.
_WORTHWHILE_FRACTION = 0.25


@dataclass(frozen=True, kw_only=True)
class TrialDemand:
    """What one trial uses of a GPU that it has for itself: fractions of its memory and of its time."""

    memory_fraction: float
    busy_fraction: float


def chosen_resources(spec: StudySpec, *, classes: int, task: TrialTask) -> ResourcesSpec:
    """A core for each trial; where there are GPUs, as many trials on each as it has memory for and time left.

    ``task`` is that of a trial with a whole GPU. Raises DataError.
    """
    offered = ray.cluster_resources()
    cores, gpus = int(offered.get("CPU", 1)), int(offered.get("GPU", 0))
    if not gpus:
        return ResourcesSpec(concurrency=max(cores, 1))
    largest, usual = _typical(spec, classes=classes)
    measuring = ray.remote(measured_demand).options(num_cpus=1, num_gpus=1, max_retries=0)
    try:
        demand = ray.get(measuring.remote(largest, usual, task))
    except RayTaskError as error:
        if isinstance(error.cause, DataError):
            raise error.cause from error
        raise
    return resources_for(demand, cores=cores, gpus=gpus)


def resources_for(demand: TrialDemand, *, cores: int, gpus: int) -> ResourcesSpec:
    """As many trials as fit: into a GPU's memory, into its time, and one a core."""
    by_memory = int(_USABLE_MEMORY / demand.memory_fraction)
    by_time = math.ceil(1 / demand.busy_fraction - _WORTHWHILE_FRACTION)
    on_each = max(min(by_memory, by_time, cores // gpus, int(1 / LEAST_GPUS)), 1)
    # Ray counts in ten-thousandths.
    return ResourcesSpec(concurrency=on_each * gpus, gpus_per_trial=math.floor(10_000 / on_each) / 10_000)


def measured_demand(largest: Candidate, usual: Candidate, task: TrialTask) -> TrialDemand:
    """Train both, and the usual one again without what only a first trial has to load. Runs on the GPU."""
    gate = HostGate()
    try:
        for candidate in (largest, usual):
            _run(candidate, task, gate)
    except DeviceMemoryError:
        return TrialDemand(memory_fraction=1.0, busy_fraction=1.0)
    started = time.perf_counter()
    reports = _run(usual, task, gate)
    whole_s = time.perf_counter() - started
    free, total = torch.cuda.mem_get_info()
    # The capture of the step is in the first epoch: the GPU idles meanwhile.
    busy_s = len(reports) * median(report.epoch.elapsed_s for report in reports if report.epoch is not None)
    return TrialDemand(memory_fraction=(total - free) / total, busy_fraction=min(busy_s / whole_s, 1.0))


def _run(candidate: Candidate, task: TrialTask, gate: HostGate) -> list[TrialReport]:
    return list(run_trial(candidate, task, gate))


def _typical(spec: StudySpec, *, classes: int) -> tuple[Candidate, Candidate]:
    """Of candidates by chance that no limit rules out, the one with the largest batches and the middle one by MACs,
    at the lowest learning rate: what they need does not depend on it, and at a high one a training may end early.
    """
    choosers = islice(random_choosers(spec.sampler.seed), _DRAWN)
    drawn = [draw(spec.space, chooser, classes=classes) for chooser in choosers]
    costs = [(candidate, cost) for candidate in drawn if (cost := _cost(candidate)) is not None]
    allowed = [pair for pair in costs if first_complaint(spec.constraints, pair[1]) is None] or costs
    largest, _ = max(allowed, key=lambda pair: pair[1]["memory_bytes"] * pair[0].batch_size)
    usual, _ = sorted(allowed, key=lambda pair: pair[1]["macs"])[len(allowed) // 2]
    calm = {"learning_rate": spec.space.learning_rate.low}
    return largest.model_copy(update=calm), usual.model_copy(update=calm)


def _cost(candidate: Candidate) -> Metrics | None:
    try:
        return cost_metrics(candidate)
    except UnbuildableError:
        return None
