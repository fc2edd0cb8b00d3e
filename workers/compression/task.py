"""CompressionTask: what a compressor is asked to do. It is plain data, and this module needs no PyTorch."""

from dataclasses import dataclass
from pathlib import Path

from search.contract.candidate import Candidate
from search.contract.recipes import Recipe
from search.contract.study_dataset import StudyDataset
from search.study.spec import StudySpec
from workers.teacher.answers import TeacherAnswers


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A candidate with its weights as a safetensors file."""

    candidate: Candidate
    weights: bytes


@dataclass(frozen=True, kw_only=True)
class CompressionTask:
    """One recipe for one trial. ``answers`` are those of the study's teacher; without them ``teacher`` is the study's
    best model, if the recipe learns from it.
    """

    candidate: Candidate
    weights: bytes
    spec: StudySpec
    dataset: StudyDataset
    recipe: Recipe
    teacher: TrainedModel | None
    cache_dir: Path
    answers: TeacherAnswers | None = None
