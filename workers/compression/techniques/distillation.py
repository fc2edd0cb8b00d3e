"""Distillation: fine-tuning that also follows a teacher's answers (https://arxiv.org/abs/1503.02531)."""

from pathlib import Path

from torch import Tensor

from search.contract.recipes import Distillation
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.task import TrainedModel
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.compression.training import AnswersWeight, train_on
from workers.export import load_weights
from workers.models import build_network
from workers.teacher.onnx_file import file_teacher, resized
from workers.training.distillation_loss import DistillationLoss, Teacher


@NETWORK_TECHNIQUES.register("distillation")
def distill(config: Distillation, state: CompressionState) -> None:
    """A file that the step names teaches, else the study's teacher, else the study's best model.

    NotApplicableError without any of them; TeacherError for a file that will not do.
    """
    if config.teacher is None and state.has_answers:
        train_on(config, state, distillation=AnswersWeight(weight=config.weight, temperature=config.temperature))
        return
    train_on(
        config,
        state,
        distillation=DistillationLoss(
            teacher=_in_each_step(config, state), temperature=config.temperature, weight=config.weight
        ),
    )


def _in_each_step(config: Distillation, state: CompressionState) -> Teacher:
    """A teacher that answers each batch anew."""
    classes = state.validation.classes
    if config.teacher is not None:
        return file_teacher(Path(config.teacher), classes=classes, side_px=state.candidate.image_size)
    if state.teacher is not None:
        return network_teacher(state.teacher)
    raise NotApplicableError("distillation wants a teacher: the study has no other model, give a file")


def network_teacher(model: TrainedModel) -> Teacher:
    """A trained candidate as a teacher; it sees the images at the size that it was trained at."""
    network = build_network(model.candidate.architecture, pretrained=False)
    load_weights(network, model.weights)
    network.eval()

    def teach(inputs: Tensor) -> Tensor:
        network.to(inputs.device)
        logits: Tensor = network(resized(inputs, model.candidate.image_size))
        return logits

    return teach
