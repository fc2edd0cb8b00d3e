"""What the trials of a study say, sorted by what can be learned from it.

Notation: n measured points, m objectives, all of them losses to be minimized.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from search.samplers.frontier.encoding import Row
from search.samplers.frontier.points import Point

Floats = NDArray[np.float64]
#: The user attribute of a pruned trial that says what it was on its way to: for each objective ``(value, deviation)``,
#: or None for one that is known exactly.
EXPECTED = "expected"
#: The user attribute of a trial that says how long it took where its own times do not: it was run before, or elsewhere.
SECONDS = "seconds"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A point and its row of the encoder."""

    point: Point
    row: Row


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """``losses`` [n, m] of the ``measured`` points; those that are ``flying`` have none yet.

    The first of these are ``complete`` and took ``seconds`` [complete]; the others were ended early, and ``deviations``
    [n, m] says how far from the losses they might have come.

    ``failed`` have been run and came to nothing. ``violations`` are the measured ones by constraint: of points that
    were completed and of those that a constraint ended.
    """

    signs: Floats
    measured: Sequence[Known]
    losses: Floats
    deviations: Floats
    complete: int
    seconds: Floats
    flying: Sequence[Known]
    failed: Sequence[Known]
    violations: dict[str, list[tuple[Known, float]]]


def evidence_of(trials: Sequence[tuple[FrozenTrial, Known]], signs: Floats) -> Evidence:
    complete = [(trial, known) for trial, known in trials if trial.state is TrialState.COMPLETE]
    expected = [(_expected(trial, known), known) for trial, known in trials if trial.state is TrialState.PRUNED]
    partial = [(values, known) for values, known in expected if values is not None]
    values = [[(value, 0.0) for value in trial.values] for trial, _ in complete] + [values for values, _ in partial]
    table = np.asarray(values, dtype=np.float64).reshape(-1, len(signs), 2)
    violations: dict[str, list[tuple[Known, float]]] = {}
    for trial, known in trials:
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            for name, value in trial.constraints.items():
                violations.setdefault(name, []).append((known, value))
    return Evidence(
        signs=signs,
        measured=[known for _, known in [*complete, *partial]],
        losses=_finite(table[:, :, 0] * signs),
        deviations=table[:, :, 1],
        complete=len(complete),
        seconds=np.asarray([trial.user_attrs.get(SECONDS, trial.duration.total_seconds()) for trial, _ in complete]),
        flying=[known for trial, known in trials if trial.state is TrialState.RUNNING],
        failed=[known for trial, known in trials if trial.state is TrialState.FAIL],
        violations=violations,
    )


def _expected(trial: FrozenTrial, known: Known) -> list[tuple[float, float]] | None:
    """What a trial that was ended early was on its way to, by objective, with deviations; None if nobody said."""
    told = trial.user_attrs.get(EXPECTED)
    if told is None:
        return None
    exact = known.point.known.objectives
    values = [(exact[index], 0.0) if index in exact else pair for index, pair in enumerate(told)]
    return None if None in values else values


def _finite(losses: Floats) -> Floats:
    """An endless loss counts as the worst finite one of its objective."""
    worst = np.max(losses, axis=0, initial=-np.inf, where=np.isfinite(losses))
    best = np.min(losses, axis=0, initial=np.inf, where=np.isfinite(losses))
    return np.asarray(np.clip(losses, best, worst)) if len(losses) else losses
