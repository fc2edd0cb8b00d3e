"""One trial: train a candidate for a few epochs and time its architecture meanwhile; and the Ray actor that runs it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune

from search.contract.candidate import Candidate
from search.contract.dataset import DatasetSpec
from search.contract.metrics import Constraint, Score, first_complaint
from search.contract.targets import TargetSpec
from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec
from workers.actors.hosts import Slots
from workers.augmentation.pictures import picture_of
from workers.candidate_training import plan_of
from workers.export import quick_onnx, save_weights
from workers.inputs import prepare, resident_split
from workers.latency.gate import HostGate
from workers.models import Network, build_network, profile
from workers.training.engine import Epoch, Working, train

Report = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TrialTask:
    """What every trial of a study has in common; plain data."""

    dataset: DatasetSpec
    epochs: int
    seed: int
    threads: int
    device: str
    memory_share: float
    constraints: tuple[Constraint, ...]
    score: Score
    target: TargetSpec
    cache_dir: Path

    @classmethod
    def of(cls, spec: StudySpec, share: ResourcesSpec, *, cache_dir: Path) -> "TrialTask":
        return cls(
            dataset=spec.dataset,
            epochs=spec.budget.epochs,
            seed=spec.sampler.seed,
            threads=share.threads,
            device=share.device,
            memory_share=share.memory_share,
            constraints=spec.constraints,
            score=spec.score,
            target=spec.target,
            cache_dir=cache_dir,
        )


def run_trial(candidate: Candidate, task: TrialTask, gate: HostGate) -> Iterator[Report]:
    """Train and time a candidate; a report an epoch, with the costs that are known by then, the last one with
    ``metrics``, ``scores``, ``host``, ``files`` and ``done``.

    Ends early with ``infeasible`` and its reason when the latency breaks a constraint.
    """
    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    network = build_network(candidate.architecture)
    with gate.working():
        exported = quick_onnx(network, candidate.image_size)
    look = _Look(exported, task.target, gate)
    network.to(task.device)
    static = {**profile(candidate), "size_bytes": len(exported)}
    host: Report = {}
    for epoch in _epochs(network, candidate, task, look.working, gate):
        report = asdict(epoch.report)
        last = epoch.epoch == task.epochs
        if (timed := look.result(wait=last)) is not None:
            static |= _latency_metrics(timed)
            host = {"host": timed["host"]}
            reason = first_complaint(task.constraints, static)
            if reason is not None:
                yield {**report, **static, "infeasible": reason, "metrics": static, **host, "done": True}
                return
        if last:
            metrics = {"f1": epoch.scores.f1, "accuracy": epoch.scores.accuracy, **static}
            metrics["score"] = task.score.of(f1=metrics["f1"], latency_ms=metrics["latency_ms"])
            files = {"weights": save_weights(network.cpu()), **_pictures(candidate, task, gate)}
            result = {"scores": asdict(epoch.scores), "files": files}
            yield {**report, **metrics, "metrics": metrics, **host, **result, "done": True}
        else:
            yield {**report, **static, **host}


class _Look:
    """The look at a trial's latency. It is asked for after the first unit of work: a measurement stops the host's
    trainings, and so this one starts first.
    """

    def __init__(self, model: bytes, target: TargetSpec, gate: HostGate) -> None:
        self._model, self._target, self._gate = model, target, gate
        self._timing: Any = None

    @contextmanager
    def working(self) -> Iterator[None]:
        with self._gate.working():
            yield
        if self._timing is None:
            self._timing = Slots().of(self._target).time_file.remote(self._model, target=self._target)

    def result(self, *, wait: bool) -> Report | None:
        """What was measured; None where it is not there yet and not waited for."""
        if wait or ray.wait([self._timing], timeout=0)[0]:
            timed: Report = ray.get(self._timing)
            return timed
        return None


def _epochs(
    network: Network, candidate: Candidate, task: TrialTask, working: Working, gate: HostGate
) -> Iterator[Epoch]:
    plan = plan_of(candidate, epochs=task.epochs, seed=task.seed)
    prepared = prepare(candidate, task.dataset, task.seed, task.device, task.cache_dir, gate.working())
    validation = resident_split(task.dataset, candidate.image_size, task.cache_dir, "validation", task.device)
    yield from train(
        network,
        prepared.training,
        validation,
        plan,
        augment=prepared.augment,
        working=working,
        memory_share=task.memory_share,
    )


def _pictures(candidate: Candidate, task: TrialTask, gate: HostGate) -> dict[str, bytes]:
    """What the candidate's augmentation looks like, if it has any."""
    if not candidate.augmentation.operations:
        return {}
    with gate.working():
        split = resident_split(task.dataset, candidate.image_size, task.cache_dir, "train", task.device)
        return {"augmentation": picture_of(candidate.augmentation, split, seed=task.seed)}


def _latency_metrics(timing: Mapping[str, Any]) -> dict[str, float]:
    return {
        "latency_ms": timing["p50_ms"],
        "latency_low_ms": timing["low_ms"],
        "latency_high_ms": timing["high_ms"],
        "latency_p90_ms": timing["p90_ms"],
    }


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Runs one trial after another in one process: the data set stays on the device between them."""

    def setup(self, config: dict[str, Any], task: TrialTask) -> None:
        self._task = task
        self._gate = HostGate()
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._begin(new_config)
        return True

    def _begin(self, config: dict[str, Any]) -> None:
        candidate = Candidate.model_validate_json(config["candidate"])
        task = replace(self._task, memory_share=1.0) if config["alone"] else self._task
        self._reports = run_trial(candidate, task, self._gate)

    def step(self) -> Report:
        return next(self._reports)
