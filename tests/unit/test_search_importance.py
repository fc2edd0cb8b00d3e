"""Importances on studies whose truth is known."""

from dataclasses import replace
from typing import Any

import optuna
import pytest

from search.contract.metrics import MetricName
from search.contract.states import TrialState
from search.contract.trials import PastTrial
from search.samplers.optuna_trials import chooser_of
from search.samplers.ped_anova import MIN_TRIALS, importance_of
from search.study.draw import draw
from search.study.space_spec import SpaceSpec
from search.study.spec import StudySpec

SPEC = StudySpec.model_validate(
    {
        "name": "searched-policy",
        "dataset": {"source": "sklearn"},
        "space": {"augmentation": {"ops": ["Rotate", "Invert", "Cutout"], "max_ops": 3}},
    }
)
#: One network.
ARCHITECTURE: dict[str, Any] = {
    "stages": [{"name": "stem", "blocks": {"Conv": [[1, "Conv", [16, 3, 2]]]}}],
    "head": [{"name": "head", "blocks": {"pooled": [[1, "GlobalAvgPool", []], [1, "FixedConv", ["$classes"]]]}}],
}


def drawn(count: int) -> list[PastTrial]:
    """Random candidates: Rotate is good for f1, Invert bad for accuracy, and Cutout costs latency only."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trials = []
    for number in range(count):
        asked = study.ask()
        draw(SPEC.space, chooser_of(asked), classes=10)
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


def changed(trial: PastTrial, **choices: Any) -> PastTrial:
    return replace(trial, assignment={**trial.assignment, **choices})


@pytest.mark.parametrize(
    "choices",
    [
        {"learning_rate": 99.0},
        {"learning_rate": "0.1"},
        {"learning_rate": [0.1, 0.2]},
        {"learning_rate": None},
        {"augmentation.Rotate": "yes"},
        {"stage1.block": {"name": "Conv"}},
        {"of_another_version": 1},
    ],
    ids=str,
)
def test_a_trial_of_another_space_is_left_out(choices: dict[str, Any]) -> None:
    first, *others = drawn(12)
    found = importance_of([changed(first, **choices), *others], SPEC, classes=10, metric="f1")
    assert found == importance_of(others, SPEC, classes=10, metric="f1")
    assert found.trials == 11


def test_a_trial_that_lacks_a_choice_is_left_out() -> None:
    first, *others = drawn(12)
    lacking = {name: value for name, value in first.assignment.items() if name != "learning_rate"}
    found = importance_of([replace(first, assignment=lacking), *others], SPEC, classes=10, metric="f1")
    assert found.trials == 11


def test_of_another_space_altogether_nothing_is_told() -> None:
    found = importance_of(
        [replace(trial, assignment={"width": 8}) for trial in drawn(12)], SPEC, classes=10, metric="f1"
    )
    assert (found.trials, found.best, found.parameters) == (0, 0, ())


@pytest.mark.parametrize("better", [0, 2], ids=["none", "fewer than a quarter"])
def test_where_no_quarter_is_better_than_the_rest_nothing_is_told(better: int) -> None:
    trials = [replace(trial, metrics={"f1": 0.9 if trial.number < better else 0.5}) for trial in drawn(12)]
    found = importance_of(trials, SPEC, classes=10, metric="f1")
    assert (found.trials, found.best, found.parameters, found.operations) == (12, 0, (), ())


def test_a_space_without_choices_has_no_parameters() -> None:
    fixed = {"architecture": ARCHITECTURE, "image_size": 16, "batch_size": 32, "learning_rate": 0.1}
    spec = SPEC.model_copy(update={"space": SpaceSpec.model_validate(fixed)})
    trials = [replace(trial, assignment={}) for trial in drawn(12)]
    found = importance_of(trials, spec, classes=10, metric="f1")
    assert (found.trials, found.best, found.parameters) == (12, 3, ())
