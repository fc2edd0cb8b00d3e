"""Earlier studies as the frontier sampler takes them."""

from collections.abc import Sequence
from statistics import NormalDist

from search.contract.metrics import NATURAL_GOALS, TRAINED_METRICS, Goal
from search.contract.trials import PastTrial
from search.pareto import front, losses_of, spread
from search.samplers.frontier import Earlier
from search.study.spec import StudySpec

_LEAST_TRIALS = 5
_FIRST = 8


def earlier_of(trials: Sequence[PastTrial], spec: StudySpec) -> Earlier | None:
    """What a study's completed trials say for a new one; None if that is too little.

    They are ranked by the first of the new study's objectives that a training brings; the front is that of all its
    objectives.
    """
    metrics = [objective.metric for objective in spec.objectives]
    ranked_by = next((metric for metric in metrics if metric in TRAINED_METRICS), None)
    known = [trial for trial in trials if all(metric in trial.metrics for metric in metrics)]
    if ranked_by is None or len(known) < _LEAST_TRIALS:
        return None
    best_first = NATURAL_GOALS[ranked_by] is Goal.MAXIMIZE
    known.sort(key=lambda trial: trial.metrics[ranked_by], reverse=best_first)
    losses = losses_of(spec.objectives, [trial.metrics for trial in known])
    best = front(losses)
    return Earlier(
        points=[trial.assignment for trial in known],
        scores=[NormalDist().inv_cdf((rank + 0.5) / len(known)) for rank in range(len(known))],
        front=[known[best[index]].assignment for index in spread(losses[best], _FIRST)],
    )
