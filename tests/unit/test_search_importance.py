"""Importances on studies whose truth is known."""

from typing import Any

import optuna
import pytest

from search.metrics import MetricName
from search.optuna_trials import PastTrial
from search.ped_anova import MIN_TRIALS, importance_of
from search.space import draw
from search.spec import StudySpec
from search.states import TrialState

SPEC = StudySpec.model_validate(
    {
        "name": "searched-policy",
        "dataset": {"source": "sklearn"},
        "space": {"augmentation": {"ops": ["Rotate", "Invert", "Cutout"], "max_ops": 3}},
    }
)


def drawn(count: int) -> list[PastTrial]:
    """Random candidates: Rotate is good for f1, Invert bad for accuracy, and Cutout costs latency only."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trials = []
    for number in range(count):
        asked = study.ask()
        draw(SPEC.space, asked, classes=10)
        on: dict[str, Any] = asked.params
        metrics = {
            "f1": 0.6 + 0.2 * on["augmentation.Rotate"] + 0.001 * (number % 7),
            "accuracy": 0.7 - 0.1 * on["augmentation.Invert"],
            "latency_ms": 1.0 + on["augmentation.Cutout"],
        }
        state = TrialState.COMPLETED
        trials.append(PastTrial(number=number, state=state, assignment=asked.params, metrics=metrics))
    return trials


def test_the_operation_that_helps_is_the_most_important_and_the_best_share_it() -> None:
    found = importance_of(drawn(80), SPEC, classes=10, metric="f1")
    rotate = found.operations[0]
    assert (found.trials, found.best, rotate.name) == (80, 20, "Rotate")
    assert rotate.share_of_best == 1.0
    assert 0.3 < rotate.share_of_all < 0.7
    assert rotate.mean_with is not None
    assert rotate.mean_without is not None
    assert rotate.mean_with - rotate.mean_without == pytest.approx(0.2, abs=0.03)


def test_what_harms_is_rare_among_the_best() -> None:
    invert = importance_of(drawn(80), SPEC, classes=10, metric="accuracy").operations[0]
    assert (invert.name, invert.share_of_best) == ("Invert", 0.0)
    assert invert.share_of_all > 0.3


def test_each_metric_has_its_own_importances_and_its_own_better_direction() -> None:
    cutout = importance_of(drawn(80), SPEC, classes=10, metric="latency_ms").operations[0]
    assert (cutout.name, cutout.share_of_best) == ("Cutout", 0.0)


def test_the_shares_of_all_parameters_sum_to_one_in_order() -> None:
    shares = [parameter.importance for parameter in importance_of(drawn(40), SPEC, classes=10, metric="f1").parameters]
    assert sum(shares) == pytest.approx(1.0)
    assert shares == sorted(shares, reverse=True)
    assert all(share >= 0 for share in shares)


@pytest.mark.parametrize("metric", ["f1", "score"])
def test_too_few_trials_with_the_metric_say_nothing(metric: MetricName) -> None:
    trials = drawn(MIN_TRIALS - 1 if metric == "f1" else 40)
    found = importance_of(trials, SPEC, classes=10, metric=metric)
    assert (found.best, found.parameters, found.operations) == (0, (), ())
    assert found.trials == (MIN_TRIALS - 1 if metric == "f1" else 0)
