"""A study as points for a chart: all of them where they are few, else those that shape the picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from search.contract.metrics import NATURAL_GOALS, Goal, MetricName, Metrics, Objective
from search.contract.states import TrialState
from search.contract.trials import Assignment, TrialRole
from search.pareto import Losses, front, hypervolume, losses_of, reference_point
from search.study.spec import StudySpec
from services.store import studies, trials, variants

_MAX_CHECKPOINTS = 60


@dataclass(frozen=True, kw_only=True)
class Point:
    """A completed trial with the values that it drew for some parameters, None for one that it did not draw."""

    id: str
    number: int
    state: TrialState
    role: TrialRole | None
    family: str | None
    host: str | None
    metrics: Metrics
    parameters: Assignment


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The hypervolume once the trials up to ``number`` were completed."""

    number: int
    hypervolume: float


@dataclass(frozen=True, kw_only=True)
class Points:
    """Of ``total`` completed trials those to draw, and how the hypervolume of the first two objectives grew."""

    items: Sequence[Point]
    total: int
    hypervolume: Sequence[Growth]


def points(
    connection: Connection, study_id: str, *, x: MetricName, y: MetricName, most: int, parameters: Sequence[str]
) -> Points:
    """The completed trials, by number, with the values that they drew for ``parameters``.

    If there are more than ``most``, only those are kept that are on the front of ``x`` and ``y``, were the best so far
    in a metric, or have variants, and one of the others for each cell of a grid over ``x`` and ``y``.
    """
    spec = studies.get(connection, study_id).spec
    completed = trials.list_measured(connection, study_id)
    metrics = [trial.metrics for trial in completed]
    kept = list(range(len(completed)))
    if len(completed) > most:
        compressed = variants.list_trial_ids(connection, study_id)
        parents = [index for index, trial in enumerate(completed) if trial.id in compressed]
        kept = _thinned(spec, metrics, x, y, parents, most)
    chosen = [completed[index] for index in kept]
    drawn: Mapping[str, Assignment] = {}
    if parameters:
        drawn = trials.get_assignments(connection, [trial.id for trial in chosen])
    items = [
        Point(
            id=trial.id,
            number=trial.number,
            state=trial.state,
            role=trial.role,
            family=trial.family,
            host=trial.host,
            metrics=trial.metrics,
            parameters={name: drawn[trial.id].get(name) for name in parameters},
        )
        for trial in chosen
    ]
    growth = _growth(spec, [trial.number for trial in completed], metrics)
    return Points(items=items, total=len(completed), hypervolume=growth)


def _thinned(
    spec: StudySpec,
    metrics: Sequence[Metrics],
    x: MetricName,
    y: MetricName,
    parents: Sequence[int],
    most: int,
) -> list[int]:
    goals = {**NATURAL_GOALS, **{objective.metric: objective.goal for objective in spec.objectives}}
    pair = [Objective(metric=name, goal=goals[name]) for name in dict.fromkeys((x, y))]
    measured = _measured(pair, metrics)
    losses = losses_of(pair, [metrics[index] for index in measured])
    kept = {*parents, *(measured[position] for position in front(losses))}
    for name, goal in goals.items():
        kept.update(_improvements(metrics, name, goal))
    cells_per_side = max(1, int(np.sqrt(max(most - len(kept), 1))))
    kept.update(measured[position] for position in _one_per_cell(losses, cells_per_side))
    return sorted(kept)


def _measured(objectives: Sequence[Objective], metrics: Sequence[Metrics]) -> list[int]:
    """The indices of the trials that have a value for every objective."""
    names = [objective.metric for objective in objectives]
    return [index for index, values in enumerate(metrics) if all(name in values for name in names)]


def _improvements(metrics: Sequence[Metrics], name: MetricName, goal: Goal) -> list[int]:
    """The trials that were better in a metric than all before them."""
    measured = [index for index, values in enumerate(metrics) if name in values]
    values = np.array([metrics[index][name] for index in measured]) * (1 if goal is Goal.MAXIMIZE else -1)
    if not measured:
        return []
    best_before = np.concatenate(([-np.inf], np.maximum.accumulate(values)[:-1]))
    return [measured[position] for position in np.flatnonzero(values > best_before)]


def _one_per_cell(losses: Losses, cells_per_side: int) -> NDArray[np.intp]:
    """The first point in each cell of a square grid over the points' ranks."""
    if not len(losses):
        return np.empty(0, np.intp)
    ranks = losses.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    cells = ranks * cells_per_side // len(losses)
    _, first = np.unique(cells, axis=0, return_index=True)
    return np.asarray(first)


def _growth(spec: StudySpec, numbers: Sequence[int], metrics: Sequence[Metrics]) -> list[Growth]:
    """The hypervolume of the first two objectives, bounded by a point just beyond the worst of all trials."""
    pair = spec.objectives[:2]
    measured = _measured(pair, metrics)
    if len(pair) < 2 or not measured:
        return []
    losses = losses_of(pair, [metrics[index] for index in measured])
    reference = reference_point(losses)
    ends = np.unique(np.linspace(1, len(measured), min(_MAX_CHECKPOINTS, len(measured))).astype(int))
    growth, best = list[Growth](), losses[:0]
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        best = np.concatenate((best, losses[start:end]))
        best = best[front(best)]
        growth.append(Growth(number=numbers[measured[end - 1]], hypervolume=hypervolume(best, reference)))
    return growth
