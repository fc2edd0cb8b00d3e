"""From parameters to encoded points: described where that is possible, with the scores of earlier studies."""

from collections.abc import Mapping, Sequence

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from search.contract.trials import Assignment, ParameterValue
from search.samplers.distributions import draw_value
from search.samplers.frontier.encoding import EncodedPoint, Encoder
from search.samplers.frontier.points import Describe, Description, Point, describe_point
from search.samplers.frontier.transfer import TransferData, TransferModel


class PointEncoder:
    """Describes and encodes points. Without ``describe`` a point has the parameters that its distributions name."""

    def __init__(
        self,
        describe: Describe | None,
        transfer: Sequence[TransferData],
        encoder: Encoder,
        rng: np.random.Generator,
        *,
        absent: Assignment,
    ) -> None:
        self._describe, self._encoder, self._absent = describe, encoder, absent
        self._models = [TransferModel(data, describe, encoder, rng) for data in transfer if describe is not None]
        self._past: dict[int, tuple[Mapping[str, ParameterValue], EncodedPoint]] = {}

    def encode(
        self, preferred: Assignment, distributions: Mapping[str, BaseDistribution], rng: np.random.Generator
    ) -> EncodedPoint:
        """The point with the ``preferred`` parameters; where it is described, others are drawn as the space asks."""
        if self._describe is not None:
            point = describe_point(self._describe, preferred, rng)
        else:
            params = {name: preferred[name] for name in distributions}
            point = Point(params=params, distributions=distributions, description=Description())
        row = self._encoder.row(point)
        for index, model in enumerate(self._models):
            row = self._encoder.with_column(row, f"score in earlier study {index}", model.score(row))
        return EncodedPoint(point=point, row=row)

    def encode_trial(self, trial: FrozenTrial, rng: np.random.Generator) -> EncodedPoint:
        """The point of a trial; it is computed once while the trial's parameters stay the same."""
        params, encoded = self._past.get(trial.number, (None, None))
        if encoded is None or params != trial.params:
            encoded = self.encode({**self._absent, **trial.params}, trial.distributions, rng)
            self._past[trial.number] = (trial.params, encoded)
        return encoded

    def draw(self, past: Sequence[EncodedPoint], rng: np.random.Generator) -> EncodedPoint:
        """A random point; without ``describe`` it has the parameters of a random one of the ``past``."""
        if self._describe is not None:
            return self.encode({}, {}, rng)
        distributions = past[int(rng.integers(len(past)))].point.distributions
        params = {name: draw_value(distribution, rng) for name, distribution in distributions.items()}
        return self.encode(params, distributions, rng)
