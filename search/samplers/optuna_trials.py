"""Recorded trials as Optuna knows them, in studies that optuna-dashboard can open."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from search.contract.metrics import Constraint, Goal, Metrics
from search.contract.states import TrialState
from search.contract.trials import Assignment, ParameterValue, PastTrial
from search.samplers.distributions import allows
from search.spaces.chooser import C, Chooser
from search.study.draw import draw, is_taught
from search.study.spec import StudySpec

# Every study in memory would be announced.
optuna.logging.set_verbosity(optuna.logging.WARNING)

Direction = Literal["minimize", "maximize"]
DIRECTIONS: Mapping[Goal, Direction] = {Goal.MINIMIZE: "minimize", Goal.MAXIMIZE: "maximize"}
OPTUNA_STATES = {
    TrialState.COMPLETED: OptunaState.COMPLETE,
    TrialState.STOPPED: OptunaState.PRUNED,
    TrialState.INFEASIBLE: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
    TrialState.CANCELLED: OptunaState.FAIL,
}


class OtherSpaceError(ValueError):
    """The choices of a recorded trial are not those of the space: another version of it drew them."""


@dataclass
class Replay:
    """A Chooser that makes recorded choices again and keeps the distributions that they were drawn from.

    OtherSpaceError for a choice that was not recorded, or that the space does not offer.
    """

    values: Assignment
    distributions: dict[str, BaseDistribution] = field(default_factory=dict)

    def suggest_categorical(self, name: str, choices: Sequence[C]) -> C:
        return cast(C, self._recorded(name, CategoricalDistribution(choices)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return cast(int, self._recorded(name, IntDistribution(low, high, log=log, step=step)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return cast(float, self._recorded(name, FloatDistribution(low, high, log=log, step=step)))

    def _recorded(self, name: str, distribution: BaseDistribution) -> ParameterValue:
        if name not in self.values:
            raise OtherSpaceError(f"no {name} was recorded")
        value = self.values[name]
        if not allows(distribution, value):
            raise OtherSpaceError(f"{name} {value!r} is not in the space")
        self.distributions[name] = distribution
        return cast(ParameterValue, distribution.to_external_repr(distribution.to_internal_repr(value)))


def chooser_of(trial: optuna.trial.BaseTrial) -> Chooser:
    """An Optuna trial as a Chooser. It is one, but its overloads hide that from the type checker."""
    return cast(Chooser, trial)


def random_choosers(seed: int) -> Iterator[Chooser]:
    """Choosers without end, each of which draws every parameter at random."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    while True:
        yield chooser_of(study.ask())


def directions(spec: StudySpec) -> list[Direction]:
    return [DIRECTIONS[objective.goal] for objective in spec.objectives]


def violations(constraints: Sequence[Constraint], metrics: Metrics) -> dict[str, float]:
    """How far each constrained metric lies outside its bound, relative to the bound; <= 0 is feasible.

    Metrics that have not been measured are left out. What could not be built has no metrics at all: it violates a
    constraint of its own.
    """
    if not metrics:
        return {"architecture": 1.0}
    relative: dict[str, float] = {}
    for constraint in constraints:
        if (value := metrics.get(constraint.metric)) is not None:
            bound = constraint.max if constraint.max is not None else constraint.min
            violation = constraint.violation(value) / max(abs(bound or 0.0), 1e-12)
            relative[constraint.metric] = max(violation, relative.get(constraint.metric, violation))
    return relative


def distributions_of(past: PastTrial, spec: StudySpec, *, classes: int) -> dict[str, BaseDistribution]:
    """The distributions that a recorded trial was drawn from. OtherSpaceError if it is of another space."""
    replay = Replay(values=past.assignment)
    draw(spec.space, replay, classes=classes, taught=is_taught(past.assignment))
    if unused := sorted(past.assignment.keys() - replay.distributions.keys()):
        raise OtherSpaceError(f"the space has no {', '.join(unused)} with the other choices of trial {past.number}")
    return replay.distributions


def frozen_trial(past: PastTrial, spec: StudySpec, *, classes: int) -> FrozenTrial:
    """A recorded trial as Optuna knows it. ValueError if a completed one lacks an objective.

    The recorded trials are the first generation of NSGA-II: its sampler breeds only from trials that name theirs.
    """
    values = None
    violated = {} if past.state is TrialState.FAILED else violations(spec.constraints, past.metrics)
    if past.state is TrialState.COMPLETED:
        missing = [objective.metric for objective in spec.objectives if objective.metric not in past.metrics]
        if missing:
            raise ValueError(f"trial {past.number} is completed without {', '.join(missing)}")
        values = [past.metrics[objective.metric] for objective in spec.objectives]
    return optuna.trial.create_trial(
        state=OPTUNA_STATES[past.state],
        values=values,
        params=dict(past.assignment),
        distributions=distributions_of(past, spec, classes=classes),
        user_attrs={"number": past.number, "state": str(past.state), **past.metrics},
        system_attrs={"NSGAIISampler:generation": 0},
        constraints=violated,
    )


def optuna_study(
    storage: optuna.storages.BaseStorage, study_id: str, spec: StudySpec, *, load_if_exists: bool
) -> optuna.Study:
    """A study of Optuna's, named by the id, that knows its objectives by name. DuplicatedStudyError if it exists."""
    study = optuna.create_study(
        storage=storage, study_name=study_id, directions=directions(spec), load_if_exists=load_if_exists
    )
    with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
        study.set_metric_names([objective.metric for objective in spec.objectives])
    study.set_user_attr("name", spec.name)
    return study


def for_dashboard(trial: FrozenTrial) -> FrozenTrial:
    """The trial with its violations under the attribute that optuna-dashboard reads."""
    trial.system_attrs = {**trial.system_attrs, "constraints": list(trial.constraints.values())}
    return trial
