"""A recipe from a trial's weights to a verified, scored file. Timing it is the benchmark slot's business."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from search.contract.epochs import ClassificationScores
from search.contract.recipes import Step
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.techniques import FILE_TECHNIQUES, NETWORK_TECHNIQUES
from workers.export import to_onnx, to_program
from workers.models.profile import count_macs, count_params
from workers.predictors import Predict, model_input, onnx_predictor, program_predictor
from workers.training.metrics import scores

#: Logits of a float file may differ from the network's by this fraction of their range: rounding and no more.
_FLOAT_TOLERANCE = 1e-3
_PARITY_IMAGES = 64


class ParityError(ValueError):
    """The exported file does not compute what the network computes."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """``error``: the largest difference of the logits from the network's, as a fraction of the range of the latter.
    ``agreement``: the fraction of images on which both choose the same class.
    """

    error: float
    agreement: float


@dataclass(frozen=True, kw_only=True)
class Compressed:
    """A recipe's result: the ONNX file and its measures but for the latency.

    ``exported`` is the file before the steps that work on files. ``program`` is the same as a ``.pt2`` file, None where
    the recipe worked on the ONNX file.
    """

    exported: bytes
    model: bytes
    program: bytes | None
    scores: ClassificationScores
    parity: Parity
    macs: int
    params: int


def change_network(steps: Sequence[Step], state: CompressionState) -> None:
    """Carry out steps that change the network, in order. What they leave is in ``state.network`` and ``state.masks``:
    more steps may follow from there.
    """
    for step in steps:
        with _naming(step):
            NETWORK_TECHNIQUES[step.technique](step, state)


def finish(
    steps: Sequence[Step], state: CompressionState, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> Compressed:
    """Export the network, carry out the ``steps`` that change the file, compare it with the network, and score the file
    itself on the validation ``images`` uint8 [n, side, side, 3] with ``labels`` int64 [n].

    NotApplicableError where a technique has nothing to work on; ParityError where the export went wrong.
    """
    with state.working():
        exported = to_onnx(state.network, state.candidate.image_size)
        model = _on_file(exported, steps, state)
        parity = _parity(state, onnx_predictor(exported), images[:_PARITY_IMAGES], exact=True)
        if steps:
            program = None
            parity = _parity(state, onnx_predictor(model), images[:_PARITY_IMAGES], exact=False)
        else:
            program = to_program(state.network, state.candidate.image_size)
            _parity(state, program_predictor(program), images[:_PARITY_IMAGES], exact=True)
    return Compressed(
        exported=exported,
        model=model,
        program=program,
        scores=_scores(model, images, labels, classes=state.validation.classes, state=state),
        parity=parity,
        macs=count_macs(state.network, state.candidate.image_size),
        params=count_params(state.network),
    )


def _on_file(model: bytes, steps: Sequence[Step], state: CompressionState) -> bytes:
    for step in steps:
        with _naming(step):
            model = FILE_TECHNIQUES[step.technique](step, model, state)
    return model


@contextmanager
def _naming(step: Step) -> Iterator[None]:
    """Have a technique that does not apply told by its name."""
    try:
        yield
    except NotApplicableError as error:
        raise NotApplicableError(f"{step.technique} is skipped: {error}") from error


def _parity(state: CompressionState, predict: Predict, images: NDArray[np.uint8], *, exact: bool) -> Parity:
    with torch.inference_mode():
        expected = state.network.eval()(torch.from_numpy(model_input(images))).numpy()
    logits = predict(images)
    error = float(np.abs(logits - expected).max() / max(np.ptp(expected), 1e-12))
    if exact and not error <= _FLOAT_TOLERANCE:
        raise ParityError(
            f"the exported file's logits differ from the network's by {error:.2%} of their range, "
            f"more than {_FLOAT_TOLERANCE:.2%}: report this with the trial's architecture"
        )
    return Parity(error=error, agreement=float((logits.argmax(1) == expected.argmax(1)).mean()))


def _scores(
    model: bytes, images: NDArray[np.uint8], labels: NDArray[np.int64], *, classes: int, state: CompressionState
) -> ClassificationScores:
    predict = onnx_predictor(model)
    predicted = []
    for start in range(0, len(images), _PARITY_IMAGES):
        with state.working():
            predicted.append(predict(images[start : start + _PARITY_IMAGES]).argmax(1))
    return scores(torch.from_numpy(np.concatenate(predicted)), torch.from_numpy(labels), classes)
