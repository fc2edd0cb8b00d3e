"""One trial: train a candidate for a few epochs and time its architecture meanwhile; and the Ray actor that runs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import ray
import torch
from ray import tune

from search.contract.candidate import Candidate
from search.contract.epochs import ClassificationScores
from search.contract.latency import HostLatency
from search.contract.metrics import Constraint, Score, first_complaint
from search.contract.reports import ANSWERS, CompletedTrial, InfeasibleTrial, Measurement, TrialReport
from search.contract.study_dataset import StudyDataset
from search.contract.targets import TargetSpec
from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec
from search.tune.codec import SuggestedTrial, decode_suggestion, encode_report
from workers.actors.hosts import Slots
from workers.augmentation.pictures import picture_of
from workers.candidate_training import plan_of
from workers.export import quick_onnx, save_weights
from workers.inputs import dataset_of, prepare, require_unchanged, split_on_device
from workers.latency.gate import HostGate
from workers.models import Network, build_network, cost_metrics
from workers.teacher.answers import TeacherAnswers
from workers.teacher.network import network_answers
from workers.training.engine import Epoch, Working, train
from workers.training.linear_probe import probe

#: Trainings take the CPU time that first models, exports and answers to users leave. (Ray starts workers at 15.)
_LOWEST_PRIORITY = 19


@dataclass(frozen=True, kw_only=True)
class TrialTask:
    """What all trials of a study have in common, but for the ``epochs`` of some families; plain data.

    Only a trial's own task has a teacher's ``answers``, where it learns from them, or ``teaches`` itself.
    """

    dataset: StudyDataset
    epochs: int
    seed: int
    threads: int
    device: str
    memory_share: float
    constraints: tuple[Constraint, ...]
    score: Score
    target: TargetSpec
    cache_dir: Path
    teaches: bool = False
    answers: TeacherAnswers | None = None

    @classmethod
    def of(cls, spec: StudySpec, resources: ResourcesSpec, *, dataset: StudyDataset, cache_dir: Path) -> "TrialTask":
        return cls(
            dataset=dataset,
            epochs=spec.budget.epochs,
            seed=spec.sampler.seed,
            threads=resources.threads,
            device=resources.device,
            memory_share=resources.memory_share,
            constraints=spec.constraints,
            score=spec.score,
            target=spec.target,
            cache_dir=cache_dir,
        )


def run_trial(candidate: Candidate, task: TrialTask, gate: HostGate) -> Iterator[TrialReport]:
    """Train and time a candidate; a report after each epoch, the last one with the result.

    The architecture is timed in parallel with the training; where the result breaks a constraint, the trial ends as
    infeasible. DatasetChangedError where the images are no longer those of the study.
    """
    with gate.working():
        require_unchanged(task.dataset, task.cache_dir)
    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    network = build_network(candidate.architecture)
    with gate.working():
        exported = quick_onnx(network, candidate.image_size)
    latency = PendingLatency(exported, task.target, gate)
    network.to(task.device)
    costs = Measurement(metrics={**cost_metrics(candidate), "size_bytes": len(exported)})
    probing = candidate.method == "linear-probe"
    measured = _probed if probing else _epochs
    for epoch in measured(network, candidate, task, latency.working, gate):
        last = probing or epoch.epoch == task.epochs
        if (timed := latency.result(wait=last)) is not None:
            costs = Measurement(metrics={**costs.metrics, **timed.latency.metrics}, host=timed.host)
            reason = first_complaint(task.constraints, costs.metrics)
            if reason is not None:
                infeasible = InfeasibleTrial(reason=reason, measurement=costs)
                yield TrialReport(epoch=epoch.report, measurement=costs, result=infeasible)
                return
        result = _completed(network, candidate, task, epoch.scores, costs, gate) if last else None
        yield TrialReport(epoch=epoch.report, measurement=costs, result=result)


def _completed(
    network: Network,
    candidate: Candidate,
    task: TrialTask,
    scores: ClassificationScores,
    costs: Measurement,
    gate: HostGate,
) -> CompletedTrial:
    """The result of a trial with the ``scores`` of its last epoch."""
    score = task.score.of(f1=scores.f1, latency_ms=costs.metrics["latency_ms"])
    metrics = {"f1": scores.f1, "accuracy": scores.accuracy, **costs.metrics, "score": score}
    answers = _answers(network, candidate, task, gate)
    files = {"weights": save_weights(network.cpu()), **answers, **_pictures(candidate, task, gate)}
    return CompletedTrial(measurement=replace(costs, metrics=metrics), scores=scores, files=files)


def _answers(network: Network, candidate: Candidate, task: TrialTask, gate: HostGate) -> dict[str, bytes]:
    """What the teacher answers on the training images, if this trial is the teacher."""
    if not task.teaches:
        return {}
    dataset = dataset_of(task.dataset, candidate.image_size, task.cache_dir)
    return {ANSWERS: network_answers(network, dataset, device=task.device, working=gate.working).to_bytes()}


class PendingLatency:
    """The measurement of a trial's latency. It is asked for after the first unit of work: a measurement stops the
    host's trainings, so this one starts first.
    """

    def __init__(self, model: bytes, target: TargetSpec, gate: HostGate) -> None:
        self._model, self._target, self._gate = model, target, gate
        self._measurement: ray.ObjectRef[HostLatency] | None = None

    @contextmanager
    def working(self) -> Iterator[None]:
        with self._gate.working():
            yield
        if self._measurement is None:
            self._measurement = Slots().of(self._target).time_file.remote(self._model, target=self._target)

    def result(self, *, wait: bool) -> HostLatency | None:
        """What was measured; None where it is not there yet and not waited for."""
        if wait or ray.wait([self._measurement], timeout=0)[0]:
            timed: HostLatency = ray.get(self._measurement)
            return timed
        return None


def _epochs(
    network: Network, candidate: Candidate, task: TrialTask, working: Working, gate: HostGate
) -> Iterator[Epoch]:
    plan = plan_of(candidate, epochs=task.epochs, seed=task.seed)
    prepared = prepare(
        candidate, task.dataset, task.seed, task.device, task.cache_dir, gate.working(), answers=task.answers
    )
    validation = split_on_device(task.dataset, candidate.image_size, task.cache_dir, "validation", task.device)
    yield from train(
        network,
        prepared.training,
        validation,
        plan,
        augment=prepared.augment,
        working=working,
        memory_share=task.memory_share,
    )


def _probed(
    network: Network, candidate: Candidate, task: TrialTask, working: Working, gate: HostGate
) -> Iterator[Epoch]:
    with gate.working():
        training, validation = (
            split_on_device(task.dataset, candidate.image_size, task.cache_dir, split, task.device)
            for split in ("train", "validation")
        )
    yield probe(network, training, validation, working=working, memory_share=task.memory_share)


def _pictures(candidate: Candidate, task: TrialTask, gate: HostGate) -> dict[str, bytes]:
    """What the candidate's augmentation looks like, if it has any."""
    if candidate.method == "linear-probe" or not candidate.augmentation.operations:
        return {}
    with gate.working():
        split = split_on_device(task.dataset, candidate.image_size, task.cache_dir, "train", task.device)
        return {"augmentation": picture_of(candidate.augmentation, split, seed=task.seed)}


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Runs one trial after another in one process: the data set stays on the device between them."""

    def setup(self, config: dict[str, object], task: TrialTask) -> None:
        self._task = task
        self._gate = HostGate()
        self._begin(decode_suggestion(config))

    def reset_config(self, new_config: dict[str, object]) -> bool:
        self._begin(decode_suggestion(new_config))
        return True

    def _begin(self, trial: SuggestedTrial) -> None:
        answers = None if trial.answers is None else ray.get(trial.answers)
        task = replace(self._task, epochs=trial.cohort.epochs, teaches=trial.teaches, answers=answers)
        task = replace(task, memory_share=1.0) if trial.whole_gpu else task
        if trial.candidate.method != "linear-probe":
            os.setpriority(os.PRIO_PROCESS, 0, _LOWEST_PRIORITY)
        self._reports = run_trial(trial.candidate, task, self._gate)

    def step(self) -> dict[str, object]:
        return encode_report(next(self._reports))
