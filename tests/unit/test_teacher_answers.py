"""A teacher's answers on a data set's training images: kept as a file, looked up by row, refused for other images."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workers.data import Dataset, Splits
from workers.teacher.answers import AnswersError, TeacherAnswers
from workers.teacher.network import network_answers

FULL_TRAIN = np.array([1, 2, 4, 5, 7])


def dataset() -> Dataset:
    """8 images of 2 classes, 4 px wide."""
    images = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 3), dtype=np.uint8)
    splits = Splits(
        train=np.array([2, 5]), full_train=FULL_TRAIN, validation=np.array([0, 3, 6]), calibration=np.array([1])
    )
    return Dataset(
        id="images",
        classes=("a", "b"),
        class_images=(4, 4),
        images=images,
        labels=np.arange(8) % 2,
        splits=splits,
        skipped=(),
    )


def logits() -> NDArray[np.float32]:
    return np.arange(10, dtype=np.float32).reshape(5, 2)


class LeftHalf(nn.Module):
    """Answers how bright the left half is, and how bright the right one."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.stack([images[..., :2].mean((1, 2, 3)), images[..., 2:].mean((1, 2, 3))], dim=1)


def test_each_row_of_the_training_split_has_its_answer() -> None:
    answers = TeacherAnswers.on(dataset(), logits())
    assert answers.for_rows(dataset(), np.array([2, 5])).tolist() == [[2, 3], [6, 7]]
    assert answers.for_rows(dataset(), FULL_TRAIN).tolist() == logits().tolist()


def test_answers_survive_their_file() -> None:
    answers = TeacherAnswers.on(dataset(), logits())
    back = TeacherAnswers.from_bytes(answers.to_bytes())
    assert back.images == answers.images
    assert back.logits.dtype == np.float16
    assert np.array_equal(back.logits, answers.logits)


def test_logits_beyond_half_precision_stay_finite() -> None:
    assert np.isfinite(TeacherAnswers.on(dataset(), 1e6 * logits()).logits).all()


@pytest.mark.parametrize(
    "other",
    [
        {"id": "other images"},
        {"labels": np.zeros(8, np.int64)},
        {"splits": replace(dataset().splits, full_train=np.array([1, 2, 4, 5, 6]))},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_answers_on_other_images_are_refused(other: dict[str, object]) -> None:
    answers = TeacherAnswers.on(dataset(), logits())
    with pytest.raises(AnswersError, match="on other training images: the data set or its split has changed"):
        answers.for_rows(replace(dataset(), **other), np.array([2]))  # type: ignore[arg-type]  # one field each


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [(logits()[:4], r"answered \[4, 2\], not \[5, 2\]"), (logits() * np.nan, "not finite")],
    ids=["rows", "finite"],
)
def test_a_teacher_answers_every_training_image_with_finite_numbers(wrong: NDArray[np.float32], complaint: str) -> None:
    with pytest.raises(AnswersError, match=complaint):
        TeacherAnswers.on(dataset(), wrong)


@pytest.mark.parametrize("content", [b"", b"nothing", TeacherAnswers.on(dataset(), logits()).to_bytes()[:-40]])
def test_a_damaged_file_is_told(content: bytes) -> None:
    with pytest.raises(AnswersError, match="a teacher's answers is damaged"):
        TeacherAnswers.from_bytes(content)


def test_a_network_answers_with_the_mean_of_an_image_and_its_mirror() -> None:
    images = dataset()
    answers = network_answers(LeftHalf(), images, device="cpu").for_rows(images, FULL_TRAIN)
    brightness = images.images[FULL_TRAIN].mean((1, 2, 3)) / 255
    assert np.allclose(answers, np.stack([brightness, brightness], axis=1), atol=1e-3)
