"""PaesSampler: an Optuna sampler for searches of a few dozen evaluations, too few for a model of the objectives.

Each draw is a mutation of a solution on the front, as in PAES (Knowles, Corne: https://doi.org/10.1162/106365600568167).
Most categories are kept, since most others turned out to be worse or as good; numbers are drawn anew, since they spread
the front.
"""

import random

from optuna import Study
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from search.contract.trials import Assignment, ParameterValue

_KEEP_PROBABILITY = 0.95


class PaesSampler(BaseSampler):
    """Draws at random until a trial is complete. Numbers need distributions with steps."""

    def __init__(self, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._parent: Assignment = {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        front = study.best_trials
        self._parent = self._random.choice(front).params if front else {}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Every parameter is drawn when it is asked for: which there are depends on those before."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, ParameterValue]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> ParameterValue:
        if isinstance(param_distribution, CategoricalDistribution):
            if param_name in self._parent and self._random.random() < _KEEP_PROBABILITY:
                return self._parent[param_name]
            return self._random.choice(param_distribution.choices)
        assert isinstance(param_distribution, FloatDistribution | IntDistribution)
        low, high, step = param_distribution.low, param_distribution.high, param_distribution.step
        assert step is not None
        return low + step * self._random.randint(0, round((high - low) / step))
