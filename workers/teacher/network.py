"""A teacher's answers on the training images: the mean over the views of each, plain and mirrored."""

from contextlib import nullcontext

import numpy as np
import torch
from torch import nn

from workers.data import Dataset
from workers.teacher.answers import TeacherAnswers
from workers.training.device_dataset import pixels
from workers.training.distillation_loss import Teacher
from workers.training.evaluation import Working

_CHUNK_IMAGES = 256


def network_answers(
    network: nn.Module, dataset: Dataset, *, device: str, working: Working = nullcontext
) -> TeacherAnswers:
    """``network`` answers at the side of ``dataset``, the one that it was trained at, in evaluation mode."""
    return answers_of(network.eval().to(device), dataset, device=device, working=working)


@torch.inference_mode()
def answers_of(teach: Teacher, dataset: Dataset, *, device: str, working: Working = nullcontext) -> TeacherAnswers:
    """``teach`` takes pixels in [0, 1] at the side of ``dataset`` on ``device``."""
    rows, answers = dataset.splits.full_train, []
    for start in range(0, len(rows), _CHUNK_IMAGES):
        with working():
            chunk = torch.from_numpy(np.ascontiguousarray(dataset.images[rows[start : start + _CHUNK_IMAGES]]))
            inputs = pixels(chunk.to(device).permute(0, 3, 1, 2))
            logits = (teach(inputs) + teach(inputs.flip(3))) / 2
            answers.append(logits.float().cpu().numpy())
    return TeacherAnswers.on(dataset, np.concatenate(answers))
