"""Distillation: fine-tuning that also follows a teacher's answers (https://arxiv.org/abs/1503.02531)."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor
from torch.nn import functional

from search.contract.recipes import Distillation
from workers.compression.state import CompressionState, NotApplicableError, TrainedModel
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.compression.training import train_on
from workers.export import load_weights
from workers.models import build_network
from workers.training.distillation_loss import DistillationLoss, Teacher


class TeacherError(ValueError):
    """A teacher's file that cannot be used: give another, or leave it out for the study's best model."""


@NETWORK_TECHNIQUES.register("distillation")
def distill(config: Distillation, state: CompressionState) -> None:
    """NotApplicableError without a teacher's file and without a study; TeacherError for a file that will not do."""
    classes = state.validation.classes
    if config.teacher is not None:
        teacher = file_teacher(Path(config.teacher), classes=classes, side_px=state.candidate.image_size)
    elif state.teacher is not None:
        teacher = network_teacher(state.teacher)
    else:
        raise NotApplicableError("distillation wants a teacher: the study has no other model, give a file")
    train_on(
        config,
        state,
        distillation=DistillationLoss(teacher=teacher, temperature=config.temperature, weight=config.weight),
    )


def network_teacher(model: TrainedModel) -> Teacher:
    """A trained candidate as a teacher; it sees the images at the size that it was trained at."""
    network = build_network(model.candidate.architecture, pretrained=False)
    load_weights(network, model.weights)
    network.eval()

    def teach(inputs: Tensor) -> Tensor:
        network.to(inputs.device)
        logits: Tensor = network(_resized(inputs, model.candidate.image_size))
        return logits

    return teach


def file_teacher(path: Path, *, classes: int, side_px: int) -> Teacher:
    """An ONNX file with one input, float [n or 1, 3, side, side] in [0, 1], as a teacher. TeacherError says what is
    wrong with it.
    """
    session = _session(path)
    (entry, *others), name = session.get_inputs(), session.get_outputs()[0].name
    if others or len(entry.shape) != 4 or entry.type != "tensor(float)":
        raise TeacherError(f"the teacher {path} does not take images alone, float [n, 3, side, side]")
    side = entry.shape[2] if isinstance(entry.shape[2], int) else side_px

    def teach(inputs: Tensor) -> Tensor:
        images = _resized(inputs, side).contiguous().cpu().numpy()
        answers = [session.run([name], {entry.name: image[None]})[0] for image in images]
        return torch.from_numpy(np.concatenate(answers)).to(inputs.device)

    shape = tuple(teach(torch.zeros(1, 3, side, side)).shape)
    if shape != (1, classes):
        raise TeacherError(
            f"the teacher {path} answers {list(shape)} for an image, not one number for {classes} classes"
        )
    return teach


def _session(path: Path) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise TeacherError(f"there is no teacher at {path}: give the path of an ONNX file that the workers can read")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own errors have no common class
        raise TeacherError(f"the teacher {path} is no ONNX model that ONNX Runtime can run") from error


def _resized(inputs: Tensor, side_px: int) -> Tensor:
    if inputs.shape[-1] == side_px:
        return inputs
    return functional.interpolate(inputs, size=(side_px, side_px), mode="bilinear", antialias=True, align_corners=False)
