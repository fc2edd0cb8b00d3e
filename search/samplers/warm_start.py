"""Transfer data for the frontier sampler, from the trials of an earlier study."""

from collections.abc import Sequence
from statistics import NormalDist

from search.contract.metrics import NATURAL_GOALS, TRAINED_METRICS, Goal
from search.contract.trials import PastTrial
from search.pareto import front, losses_of, spread
from search.samplers.frontier import TransferData
from search.study.spec import StudySpec

_MIN_TRIALS = 5
#: Points of the earlier front that are tried first, at most.
_MAX_FRONT = 8


def transfer_data(trials: Sequence[PastTrial], spec: StudySpec) -> TransferData | None:
    """What a study's completed trials offer to the new study ``spec``; None if they are too few.

    They are ranked by the first objective of the new study that a training measures. The front is that of all of its
    objectives.
    """
    metrics = [objective.metric for objective in spec.objectives]
    ranked_by = next((metric for metric in metrics if metric in TRAINED_METRICS), None)
    ranked = [trial for trial in trials if trial.is_point and all(metric in trial.metrics for metric in metrics)]
    if ranked_by is None or len(ranked) < _MIN_TRIALS:
        return None
    ranked.sort(key=lambda trial: trial.metrics[ranked_by], reverse=NATURAL_GOALS[ranked_by] is Goal.MAXIMIZE)
    losses = losses_of(spec.objectives, [trial.metrics for trial in ranked])
    best = front(losses)
    return TransferData(
        points=[trial.assignment for trial in ranked],
        scores=[NormalDist().inv_cdf((rank + 0.5) / len(ranked)) for rank in range(len(ranked))],
        front=[ranked[best[index]].assignment for index in spread(losses[best], _MAX_FRONT)],
    )
