"""What the trials of a study say, sorted by what can be learned from it.

Notation: n measured points, m objectives, all of them losses to be minimized.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from search.frontier.encoding import Row
from search.frontier.points import Point

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Known:
    """A point and its row of the encoder."""

    point: Point
    row: Row


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """``losses`` [n, m] of the ``measured`` points; those that are ``flying`` have none yet.

    ``failed`` have been run and came to nothing. ``violations`` are the measured ones by constraint: of points that
    were completed and of those that a constraint ended.
    """

    signs: Floats
    measured: Sequence[Known]
    losses: Floats
    flying: Sequence[Known]
    failed: Sequence[Known]
    violations: dict[str, list[tuple[Known, float]]]


def evidence_of(trials: Sequence[tuple[FrozenTrial, Known]], signs: Floats) -> Evidence:
    complete = [(trial, known) for trial, known in trials if trial.state is TrialState.COMPLETE]
    losses = np.asarray([trial.values for trial, _ in complete], dtype=np.float64).reshape(-1, len(signs)) * signs
    violations: dict[str, list[tuple[Known, float]]] = {}
    for trial, known in trials:
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            for name, value in trial.constraints.items():
                violations.setdefault(name, []).append((known, value))
    return Evidence(
        signs=signs,
        measured=[known for _, known in complete],
        losses=_finite(losses),
        flying=[known for trial, known in trials if trial.state is TrialState.RUNNING],
        failed=[known for trial, known in trials if trial.state is TrialState.FAIL],
        violations=violations,
    )


def _finite(losses: Floats) -> Floats:
    """An endless loss counts as the worst finite one of its objective."""
    worst = np.max(losses, axis=0, initial=-np.inf, where=np.isfinite(losses))
    best = np.min(losses, axis=0, initial=np.inf, where=np.isfinite(losses))
    return np.asarray(np.clip(losses, best, worst)) if len(losses) else losses
