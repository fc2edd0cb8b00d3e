"""Macro F1 and accuracy against scikit-learn's."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from search.contract.confusion import MOST_CLASSES, MOST_CONFUSIONS, ConfusionSummary, confusion_to_json
from workers.training.metrics import scores

answers = st.integers(2, 5).flatmap(
    lambda classes: st.tuples(
        st.just(classes),
        st.lists(st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1)), min_size=1, max_size=40),
    )
)


@settings(deadline=None)
@given(answers)
def test_scores_are_those_of_scikit_learn(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    classes, pairs = drawn
    labels, predicted = (list(column) for column in zip(*pairs, strict=True))
    found = scores(torch.tensor(predicted), torch.tensor(labels), classes)
    assert found.f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert found.accuracy == pytest.approx(accuracy_score(labels, predicted))
    expected = f1_score(labels, predicted, average=None, labels=range(classes), zero_division=0)
    matrix = confusion_matrix(labels, predicted, labels=range(classes))
    assert found.confusion == tuple(map(tuple, matrix.tolist()))
    assert found.per_class_f1 == pytest.approx(expected.tolist())


def test_a_class_that_does_not_occur_does_not_lower_the_macro_f1() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1])
    assert scores(labels, labels, 3).f1 == 1.0


def test_of_many_classes_the_largest_confusions_are_kept() -> None:
    classes = MOST_CLASSES + 1
    labels = torch.tensor([0, 0, 0, 1, 1, 2, 5, 5])
    predicted = torch.tensor([0, 1, 1, 1, 7, 2, 6, 6])
    found = scores(predicted, labels, classes).confusion
    assert isinstance(found, ConfusionSummary)
    assert found.largest == ((0, 1, 2), (5, 6, 2), (1, 7, 1))
    assert found.confusions == 3
    assert [found.images[label] for label in (0, 1, 2, 5, 7)] == [3, 2, 1, 2, 0]
    assert [found.hits[label] for label in (0, 1, 2, 5, 7)] == [1, 1, 1, 0, 0]
    assert [found.predicted[label] for label in (0, 1, 2, 6, 7)] == [1, 3, 1, 2, 1]


def test_scores_of_ten_thousand_classes_are_bounded() -> None:
    labels = torch.arange(30_000) % 10_000
    predicted = (labels + torch.arange(30_000) % 7) % 10_000
    found = scores(predicted, labels, 10_000)
    assert isinstance(found.confusion, ConfusionSummary)
    assert len(found.confusion.largest) == MOST_CONFUSIONS
    assert sum(found.confusion.hits) == (predicted == labels).sum()
    assert len(json.dumps(confusion_to_json(found.confusion))) < 200_000
