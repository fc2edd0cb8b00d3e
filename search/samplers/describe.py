"""Describes a candidate for the frontier sampler before it is trained: exact costs and limits, and features."""

from collections.abc import Callable, Mapping

from search.contract.candidate import Candidate, UnbuildableError
from search.contract.metrics import Metrics
from search.samplers.frontier import Describe, Description
from search.samplers.optuna_trials import violations
from search.spaces.chooser import Chooser
from search.study.draw import draw
from search.study.spec import StudySpec

#: The metrics of a candidate that need no training, or UnbuildableError.
Profile = Callable[[Candidate], Metrics]
#: Numbers that tell architectures apart beside the metrics, or UnbuildableError.
Features = Callable[[Candidate], Mapping[str, float]]


def describing(spec: StudySpec, *, classes: int, profile: Profile, features: Features) -> Describe:
    def describe(chooser: Chooser) -> Description:
        # A teacher's weight is a parameter of every point: until there is a teacher, draw() asks for none.
        candidate = draw(spec.space, chooser, classes=classes, taught=True)
        try:
            metrics, values = profile(candidate), features(candidate)
        except UnbuildableError:
            return Description(possible=False)
        objectives = enumerate(objective.metric for objective in spec.objectives)
        return Description(
            objectives={index: metrics[metric] for index, metric in objectives if metric in metrics},
            constraints=violations(spec.constraints, metrics),
            features=values,
            effort=values.get("log_activations"),
        )

    return describe
