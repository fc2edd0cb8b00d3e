"""Macro F1 and accuracy against scikit-learn's."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from workers.training.metrics import confusion, scores

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
    matrix = confusion(torch.tensor(predicted), torch.tensor(labels), classes)
    assert matrix.tolist() == confusion_matrix(labels, predicted, labels=range(classes)).tolist()
    found = scores(matrix)
    assert found.f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert found.accuracy == pytest.approx(accuracy_score(labels, predicted))
    expected = f1_score(labels, predicted, average=None, labels=range(classes), zero_division=0)
    assert found.confusion == tuple(map(tuple, matrix.tolist()))
    assert found.per_class_f1 == pytest.approx(expected.tolist())


def test_a_class_that_does_not_occur_does_not_lower_the_macro_f1() -> None:
    assert scores(torch.tensor([[3, 0, 0], [0, 2, 0], [0, 0, 0]])).f1 == 1.0


def test_what_does_not_count_is_left_out_of_the_confusion_matrix() -> None:
    counted = torch.tensor([True, False, True])
    matrix = confusion(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), 2, counted=counted)
    assert matrix.tolist() == [[1, 0], [0, 1]]
