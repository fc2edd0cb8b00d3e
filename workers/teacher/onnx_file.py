"""An ONNX classifier as a teacher: of batches, and of the training images, once for a study."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor
from torch.nn import functional

from search.contract.study_dataset import StudyDataset
from search.data_roots import data_roots, open_file
from workers.data import load_study_dataset
from workers.model_metadata import USAGE
from workers.teacher.answers import TeacherAnswers
from workers.teacher.network import answers_of
from workers.training.distillation_loss import Teacher
from workers.training.evaluation import Working

_FOLDER_OF_OTHER_FILES = "session.model_external_initializers_file_folder_path"


class TeacherError(ValueError):
    """A teacher's file that cannot be used: give another, or leave it out."""


def file_answers(
    path: Path,
    dataset: StudyDataset,
    *,
    side_px: int,
    cache_dir: Path,
    threads: int = 1,
    working: Working = nullcontext,
) -> TeacherAnswers:
    """What the file answers on the training images, at its own side, or at ``side_px`` if it takes any.

    TeacherError says what is wrong with the file. Raises DataError.
    """
    session = _session(path, threads=threads)
    images = load_study_dataset(dataset, side_px=_side_of(session, side_px), cache_dir=cache_dir)
    _check_classes(path, session, images.classes)
    teach = _teacher(path, session, classes=len(images.classes), side_px=side_px)
    return answers_of(teach, images, device="cpu", working=working)


def file_teacher(path: Path, *, classes: int, side_px: int) -> Teacher:
    """An ONNX file with one input, float [n or 1, 3, side, side] in [0, 1], as a teacher. TeacherError says what is
    wrong with it.
    """
    return _teacher(path, _session(path, threads=1), classes=classes, side_px=side_px)


def _teacher(path: Path, session: onnxruntime.InferenceSession, *, classes: int, side_px: int) -> Teacher:
    (entry, *others), name = session.get_inputs(), session.get_outputs()[0].name
    if others or len(entry.shape) != 4 or entry.type != "tensor(float)":
        raise TeacherError(f"the teacher {path} does not take images alone, float [n, 3, side, side]")
    side = _side_of(session, side_px)

    def teach(inputs: Tensor) -> Tensor:
        images = resized(inputs, side).contiguous().cpu().numpy()
        answers = [session.run([name], {entry.name: image[None]})[0] for image in images]
        return torch.from_numpy(np.concatenate(answers)).to(inputs.device)

    shape = tuple(teach(torch.zeros(1, 3, side, side)).shape)
    if shape != (1, classes):
        raise TeacherError(
            f"the teacher {path} answers {list(shape)} for an image, not one number for {classes} classes"
        )
    return teach


def _side_of(session: onnxruntime.InferenceSession, side_px: int) -> int:
    """The side of the images that it takes, ``side_px`` if it takes any."""
    shape = session.get_inputs()[0].shape
    return shape[2] if len(shape) == 4 and isinstance(shape[2], int) else side_px


def _check_classes(path: Path, session: onnxruntime.InferenceSession, classes: Sequence[str]) -> None:
    """TeacherError where the file says which classes it knows, and they are others."""
    noted = session.get_modelmeta().custom_metadata_map.get(USAGE)
    if noted is not None and (theirs := json.loads(noted)["classes"]) != list(classes):
        raise TeacherError(
            f"the teacher {path} knows the classes {', '.join(theirs)}, and the data set has {', '.join(classes)}, in"
            " this order: train a teacher on these classes"
        )


def _session(path: Path, *, threads: int) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise TeacherError(f"there is no teacher at {path}: give the path of an ONNX file that the workers can read")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        if data_roots() is not None:
            return _session_of_one_file(path, options)
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise TeacherError(f"the teacher {path} cannot be read: {error}") from error
    except Exception as error:  # ONNX Runtime's own errors have no common class
        raise TeacherError(f"the teacher {path} is no ONNX model that ONNX Runtime can run") from error


def _session_of_one_file(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """OSError if the file lies outside the data roots. A model may name files beside it: it finds none."""
    with open_file(path) as file, tempfile.TemporaryDirectory() as empty:
        options.add_session_config_entry(_FOLDER_OF_OTHER_FILES, empty)
        return onnxruntime.InferenceSession(file.read(), options, providers=["CPUExecutionProvider"])


def resized(inputs: Tensor, side_px: int) -> Tensor:
    """Pixels [n, 3, h, w] at another side."""
    if inputs.shape[-1] == side_px:
        return inputs
    return functional.interpolate(inputs, size=(side_px, side_px), mode="bilinear", antialias=True, align_corners=False)
