"""A study as points for a chart: all of them where they are few, else those that shape the picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from search.contract.metrics import NATURAL_GOALS, Goal, MetricName, Objective
from search.pareto import Losses, front, hypervolume, losses_of, reference_point
from search.study.spec import StudySpec
from services.store import studies, trials, variants
from services.views.leaderboard import metrics_of

_MOST_CHECKPOINTS = 60


def points(
    connection: Connection, study_id: str, *, x: MetricName, y: MetricName, most: int, parameters: Sequence[str]
) -> dict[str, Any]:
    """The completed trials, by number, with the values that they drew for ``parameters``.

    Of more than ``most`` those are kept that are on the front of ``x`` and ``y``, were the best so far in a metric, or
    have variants, and of the rest one for each cell of a grid over ``x`` and ``y``. ``hypervolume`` is that of the
    study's first two objectives after some of the trials, up to the last.
    """
    spec = StudySpec.model_validate(studies.get(connection, study_id).spec)
    rows = trials.measured(connection, study_id)
    metrics = [metrics_of(row._mapping) for row in rows]
    kept = list(range(len(rows)))
    if len(rows) > most:
        compressed = variants.trials_of(connection, study_id)
        parents = [at for at, row in enumerate(rows) if row.id in compressed]
        kept = _thinned(spec, metrics, x, y, parents, most)
    drawn = trials.assignments(connection, [rows[at].id for at in kept]) if parameters else {}
    names = ("id", "number", "state", "host")
    items = [
        {
            **{name: getattr(rows[at], name) for name in names},
            "metrics": metrics[at],
            "parameters": {name: drawn[rows[at].id].get(name) for name in parameters},
        }
        for at in kept
    ]
    return {"items": items, "total": len(rows), "hypervolume": _growth(spec, [row.number for row in rows], metrics)}


def _thinned(
    spec: StudySpec,
    metrics: Sequence[dict[str, float]],
    x: MetricName,
    y: MetricName,
    parents: Sequence[int],
    most: int,
) -> list[int]:
    goals = {**NATURAL_GOALS, **{objective.metric: objective.goal for objective in spec.objectives}}
    pair = [Objective(metric=name, goal=goals[name]) for name in dict.fromkeys((x, y))]
    known = [at for at, values in enumerate(metrics) if all(objective.metric in values for objective in pair)]
    losses = losses_of(pair, [metrics[at] for at in known])
    kept = {*parents, *(known[at] for at in front(losses))}
    for name, goal in goals.items():
        kept.update(_improvements(metrics, name, goal))
    side = max(1, int(np.sqrt(max(most - len(kept), 1))))
    kept.update(known[at] for at in _one_a_cell(losses, side))
    return sorted(kept)


def _improvements(metrics: Sequence[dict[str, float]], name: MetricName, goal: Goal) -> list[int]:
    """The trials that were better in a metric than all before them."""
    known = [at for at, values in enumerate(metrics) if name in values]
    values = np.array([metrics[at][name] for at in known]) * (1 if goal is Goal.MAXIMIZE else -1)
    if not len(known):
        return []
    best_before = np.concatenate(([-np.inf], np.maximum.accumulate(values)[:-1]))
    return [known[at] for at in np.flatnonzero(values > best_before)]


def _one_a_cell(losses: Losses, side: int) -> NDArray[np.intp]:
    """The first point in each cell of a grid of ``side`` by ``side`` over the points; ranks, so that none is empty."""
    if not len(losses):
        return np.empty(0, np.intp)
    ranks = losses.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    cells = ranks * side // len(losses)
    _, first = np.unique(cells, axis=0, return_index=True)
    return np.asarray(first)


def _growth(spec: StudySpec, numbers: Sequence[int], metrics: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """The hypervolume of the first two objectives, bounded by a point just beyond the worst of all trials."""
    pair = spec.objectives[:2]
    known = [at for at, values in enumerate(metrics) if all(objective.metric in values for objective in pair)]
    if len(pair) < 2 or not known:
        return []
    losses = losses_of(pair, [metrics[at] for at in known])
    reference = reference_point(losses)
    ends = np.unique(np.linspace(1, len(known), min(_MOST_CHECKPOINTS, len(known))).astype(int))
    growth, best = [], losses[:0]
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        best = np.concatenate((best, losses[start:end]))
        best = best[front(best)]
        growth.append({"number": numbers[known[end - 1]], "hypervolume": hypervolume(best, reference)})
    return growth
