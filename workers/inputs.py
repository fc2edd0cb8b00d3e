"""What the actors train and score on: a study's data set, kept in this process from one task to the next."""

from contextlib import AbstractContextManager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch

from search.contract.candidate import Candidate
from search.contract.study_dataset import StudyDataset
from workers.augmentation.training_input import TrainingInput, training_input
from workers.data import ChangeCheck, Dataset, load_study_dataset
from workers.teacher.answers import TeacherAnswers
from workers.training.device_dataset import DeviceDataset, to_device

SplitName = Literal["train", "validation", "calibration"]
_CHECK = ChangeCheck()


def require_unchanged(data: StudyDataset, cache_dir: Path) -> None:
    """Before a task begins: DatasetChangedError where the images on disk are no longer those of the study."""
    _CHECK.require_unchanged(data, cache_dir)


@lru_cache(maxsize=4)
def dataset_of(data: StudyDataset, side_px: int, cache_dir: Path) -> Dataset:
    """The data set at one image size, kept in this process from trial to trial. DatasetChangedError if it is not what
    the study read.
    """
    return load_study_dataset(data, side_px=side_px, cache_dir=cache_dir)


@lru_cache(maxsize=4)
def split_on_device(data: StudyDataset, side_px: int, cache_dir: Path, split: SplitName, device: str) -> DeviceDataset:
    """A split of the data set on the training device, kept from trial to trial."""
    dataset = dataset_of(data, side_px, cache_dir)
    indices = getattr(dataset.splits, split)
    return to_device(dataset.images, dataset.labels, indices, classes=len(dataset.classes), device=device)


def prepare(
    candidate: Candidate,
    dataset: StudyDataset,
    seed: int,
    device: str,
    cache_dir: Path,
    working: AbstractContextManager[object],
    answers: TeacherAnswers | None = None,
) -> TrainingInput:
    """The candidate's training split, with its augmented copies, and what augments each batch.

    It has the teacher's ``answers`` where they are given. AnswersError if they are on other images.
    """
    with working:
        split = split_on_device(dataset, candidate.image_size, cache_dir, "train", device)
        if answers is not None:
            images = dataset_of(dataset, candidate.image_size, cache_dir)
            logits = torch.from_numpy(answers.for_rows(images, images.splits.train))
            split = replace(split, answers=logits.to(device))
        return training_input(split, candidate.augmentation, seed=seed)
