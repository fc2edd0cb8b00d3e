"""A candidate in full: one seed of it, on the whole training split, going on from its checkpoint where there is one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from search.contract.candidate import Candidate
from search.contract.dataset import DatasetSpec
from search.contract.reports import FullTrainingReport, TrainedWeights
from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec
from workers.candidate_training import plan_of
from workers.export import save_weights
from workers.inputs import prepare, split_on_device
from workers.latency.gate import HostGate
from workers.models import build_network
from workers.teacher.answers import TeacherAnswers
from workers.training.engine import train


@dataclass(frozen=True, kw_only=True)
class FullTraining:
    """What the seeds of a training have in common; plain data. ``checkpoints`` is a folder that every worker sees;
    ``answers`` are the teacher's, where the candidate learns from them.
    """

    candidate: Candidate
    dataset: DatasetSpec
    epochs: int
    threads: int
    device: str
    memory_share: float
    cache_dir: Path
    checkpoints: Path
    answers: TeacherAnswers | None

    @classmethod
    def of(
        cls,
        spec: StudySpec,
        resources: ResourcesSpec,
        candidate: Candidate,
        *,
        epochs: int,
        cache_dir: Path,
        checkpoints: Path,
        answers: TeacherAnswers | None,
    ) -> "FullTraining":
        return cls(
            candidate=candidate,
            dataset=spec.dataset.model_copy(update={"subset_fraction": 1.0}),
            epochs=epochs,
            threads=resources.threads,
            device=resources.device,
            memory_share=resources.memory_share,
            cache_dir=cache_dir,
            checkpoints=checkpoints,
            answers=answers,
        )


def train_in_full(task: FullTraining, seed: int) -> Iterator[FullTrainingReport]:
    """A report for each epoch, those of the checkpoint first; the last one with the result."""
    torch.set_num_threads(task.threads)
    torch.manual_seed(seed)
    candidate, gate = task.candidate, HostGate()
    network = build_network(candidate.architecture).to(task.device)
    prepared = prepare(candidate, task.dataset, seed, task.device, task.cache_dir, gate.working(), answers=task.answers)
    validation = split_on_device(task.dataset, candidate.image_size, task.cache_dir, "validation", task.device)
    task.checkpoints.mkdir(parents=True, exist_ok=True)
    epochs = train(
        network,
        prepared.training,
        validation,
        plan_of(candidate, epochs=task.epochs, seed=seed),
        augment=prepared.augment,
        working=gate.working,
        checkpoint=task.checkpoints / f"{seed}.pt",
        memory_share=task.memory_share,
    )
    for epoch in epochs:
        last = epoch.epoch == task.epochs
        result = TrainedWeights(scores=epoch.scores, weights=save_weights(network.cpu())) if last else None
        yield FullTrainingReport(epoch=epoch.report, result=result)
