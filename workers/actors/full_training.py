"""A candidate in full: one seed of it, on the whole training split, going on from its checkpoint where there is one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from search.contract.candidate import Candidate
from search.contract.reports import FullTrainingReport, TrainedWeights
from search.contract.study_dataset import StudyDataset
from search.files import writing_to
from search.study.run_spec import ResourcesSpec
from workers.candidate_training import plan_of
from workers.export import save_weights
from workers.inputs import prepare, require_unchanged, split_on_device
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
    dataset: StudyDataset
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
        resources: ResourcesSpec,
        candidate: Candidate,
        *,
        dataset: StudyDataset,
        epochs: int,
        cache_dir: Path,
        checkpoints: Path,
        answers: TeacherAnswers | None,
    ) -> "FullTraining":
        return cls(
            candidate=candidate,
            dataset=replace(dataset, spec=dataset.spec.model_copy(update={"subset_fraction": 1.0})),
            epochs=epochs,
            threads=resources.threads,
            device=resources.device,
            memory_share=resources.memory_share,
            cache_dir=cache_dir,
            checkpoints=checkpoints,
            answers=answers,
        )


def train_in_full(task: FullTraining, seed: int) -> Iterator[FullTrainingReport]:
    """A report for each epoch, those of the checkpoint first; the last one with the result.

    DatasetChangedError where the images are no longer those of the study.
    """
    torch.set_num_threads(task.threads)
    torch.manual_seed(seed)
    candidate, gate = task.candidate, HostGate()
    with gate.working():
        require_unchanged(task.dataset, task.cache_dir)
    network = build_network(candidate.architecture).to(task.device)
    prepared = prepare(candidate, task.dataset, seed, task.device, task.cache_dir, gate.working(), answers=task.answers)
    validation = split_on_device(task.dataset, candidate.image_size, task.cache_dir, "validation", task.device)
    with writing_to(task.checkpoints):
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
