"""Importances by PED-ANOVA: which choices tell the best quarter of the trials from the rest."""

import contextlib
import math
import statistics
import warnings
from collections.abc import Sequence

import optuna
from optuna.distributions import BaseDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from search.contract.augmentation import OPERATION_NAMES
from search.contract.importance import Importance, OperationUse, ParameterImportance
from search.contract.metrics import NATURAL_GOALS, Goal, MetricName
from search.contract.trials import PastTrial
from search.samplers.optuna_trials import DIRECTIONS, OtherSpaceError, distributions_of
from search.study.spec import StudySpec

BEST_FRACTION = 0.25
#: The method compares densities: a quarter of fewer trials is no two of them.
MIN_TRIALS = 8
#: A trial with the distributions that its choices were drawn from.
Replayed = tuple[PastTrial, dict[str, BaseDistribution]]


def importance_of(trials: Sequence[PastTrial], spec: StudySpec, *, classes: int, metric: MetricName) -> Importance:
    """Importances by conditional PED-ANOVA (https://arxiv.org/abs/2304.10255, https://arxiv.org/abs/2601.20800) of
    completed trials; those without the metric, and those of another space, are left out.
    """
    replayed = _replayed([trial for trial in trials if trial.is_point and metric in trial.metrics], spec, classes)
    replayed.sort(key=lambda item: item[0].metrics[metric], reverse=NATURAL_GOALS[metric] is Goal.MAXIMIZE)
    ranked = [trial for trial, _ in replayed]
    best = _best_of([trial.metrics[metric] for trial in ranked])
    if best == 0:
        return Importance(metric=metric, trials=len(replayed), needed=MIN_TRIALS, best=0, parameters=(), operations=())
    importances = _ped_anova(replayed, metric)
    parameters = tuple(ParameterImportance(name=name, importance=value) for name, value in importances.items())
    return Importance(
        metric=metric,
        trials=len(replayed),
        needed=MIN_TRIALS,
        best=best,
        parameters=parameters,
        operations=_operations(ranked, best, metric, importances),
    )


def _replayed(trials: Sequence[PastTrial], spec: StudySpec, classes: int) -> list[Replayed]:
    replayed = []
    for trial in trials:
        with contextlib.suppress(OtherSpaceError):
            replayed.append((trial, distributions_of(trial, spec, classes=classes)))
    return replayed


def _best_of(ranked: Sequence[float]) -> int:
    """How many of the values, best first, are the best quarter; 0 if they are too few, or no better than the last."""
    best = math.ceil(BEST_FRACTION * len(ranked))
    return best if len(ranked) >= MIN_TRIALS and ranked[best - 1] != ranked[-1] else 0


def _ped_anova(trials: Sequence[Replayed], metric: MetricName) -> dict[str, float]:
    study = optuna.create_study(direction=DIRECTIONS[NATURAL_GOALS[metric]])
    for trial, distributions in trials:
        value, params = trial.metrics[metric], dict(trial.assignment)
        study.add_trial(create_trial(value=value, params=params, distributions=distributions))
    with warnings.catch_warnings():
        # A conditional parameter that one trial had is no surprise.
        warnings.filterwarnings("ignore", message="Some regimes", category=UserWarning)
        evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_FRACTION)
        importances = get_param_importances(study, evaluator=evaluator)
    return {name: float(importance) for name, importance in importances.items()}


def _operations(
    ranked: Sequence[PastTrial], best: int, metric: MetricName, importances: dict[str, float]
) -> tuple[OperationUse, ...]:
    uses = []
    for name in OPERATION_NAMES:
        parameter = f"augmentation.{name}"
        if parameter not in importances:
            continue
        on = [bool(trial.assignment[parameter]) for trial in ranked]
        values = [trial.metrics[metric] for trial in ranked]
        uses.append(
            OperationUse(
                name=name,
                importance=importances[parameter],
                share_of_best=statistics.fmean(on[:best]),
                share_of_all=statistics.fmean(on),
                mean_with=_mean([value for value, is_on in zip(values, on, strict=True) if is_on]),
                mean_without=_mean([value for value, is_on in zip(values, on, strict=True) if not is_on]),
            )
        )
    return tuple(sorted(uses, key=lambda use: -use.importance))


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
