"""What a teacher's ONNX file answers on a study's training images, computed on a worker."""

from pathlib import Path

import ray
from ray.exceptions import RayTaskError

from search.contract.study_dataset import StudyDataset
from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec
from workers.data import DataError
from workers.latency.gate import HostGate
from workers.teacher.answers import AnswersError, TeacherAnswers
from workers.teacher.onnx_file import TeacherError, file_answers


def answers_from_file(
    spec: StudySpec, resources: ResourcesSpec, path: str, *, dataset: StudyDataset, cache_dir: Path
) -> TeacherAnswers:
    """The answers of the file at ``path`` on as many cores as a trial gets.

    TeacherError or AnswersError says what is wrong with the file. Raises DataError.
    """
    task = ray.remote(_answers).options(num_cpus=resources.cpus_per_trial, max_retries=0)
    try:
        answers: TeacherAnswers = ray.get(task.remote(spec, resources.threads, path, dataset, cache_dir))
    except RayTaskError as error:
        if isinstance(error.cause, TeacherError | AnswersError | DataError):
            raise error.cause from error
        raise
    return answers


def _answers(spec: StudySpec, threads: int, path: str, dataset: StudyDataset, cache_dir: Path) -> TeacherAnswers:
    return file_answers(
        Path(path),
        dataset,
        side_px=max(spec.space.image_size),
        cache_dir=cache_dir,
        threads=threads,
        working=HostGate().working,
    )
