"""Predictions of a study's objectives: exact ones from the descriptions, the others from surrogates.

Notation: q candidates, n observed points, p pending points, m objectives, s samples of what is pending.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from search.samplers.frontier.arrays import Floats
from search.samplers.frontier.encoding import EncodedPoint
from search.samplers.frontier.observations import Observations
from search.samplers.frontier.surrogate import Prediction, Surrogate, SurrogateFitter, winsorize

#: Samples of the pending outcomes.
_FANTASIES = 4


class ObjectiveModels:
    """One model per objective. An objective is exact where every point's description has it.

    The first objective that is not exact is ``primary``: EHVI expects its improvement. The others are ``costs``, by
    their index. ``std_scale`` multiplies the standard deviation that is predicted for the primary objective.
    """

    def __init__(self, observations: Observations, points: Sequence[EncodedPoint], *, std_scale: float) -> None:
        self._observations, self._std_scale = observations, std_scale
        indices = range(len(observations.signs))
        self._exact = {index for index in indices if all(index in point.description.objectives for point in points)}
        self.primary = next((index for index in indices if index not in self._exact), 0)
        self.costs = [index for index in indices if index != self.primary]
        self.logged: set[int] = set()
        """Costs that are modelled by their logarithm."""
        self.fence = np.inf
        """The winsorized worst value of the primary objective."""
        self._surrogates: dict[int, Surrogate] = {}

    def fit(self, fitter: SurrogateFitter) -> None:
        observations = self._observations
        for index in range(len(observations.signs)):
            if index not in self._exact:
                losses, noise_std = observations.losses[:, index], observations.noise_std[:, index]
                if index == self.primary:
                    losses, self.fence = winsorize(losses)
                elif (losses > 0.0).all():
                    losses, noise_std = np.log(losses), noise_std / losses
                    self.logged.add(index)
                self._surrogates[index] = fitter.fit(f"objective {index}", observations.points, losses, noise_std)
        if self.primary not in self._exact and observations.pending:
            pending = fitter.features(observations.pending)
            self._surrogates[self.primary].fantasize(pending, _FANTASIES, fitter.rng)

    def denoised_primary(self) -> Floats:
        """The primary loss of the observed points without noise, then of the pending ones in each sample [n + p, s].

        Where it is exact, that of the observed points alone [n, 1].
        """
        if self.primary in self._exact:
            return self._observations.losses[:, [self.primary]]
        return self._surrogates[self.primary].denoised()

    def observed_costs(self, pending_features: Floats) -> Floats:
        """The costs of the observed points, then the expected ones of the pending ones [n + p, m - 1]."""
        pending = self.expected_costs(self._observations.pending, pending_features)
        return np.concatenate([self._observations.losses[:, self.costs], pending])

    def expected_costs(self, points: Sequence[EncodedPoint], features: Floats) -> Floats:
        """The expected costs [len(points), m - 1]."""
        columns = [self._expected(index, points, features) for index in self.costs]
        return np.column_stack(columns or [np.empty((len(points), 0))])

    def predict_cost(self, index: int, points: Sequence[EncodedPoint], features: Floats) -> Prediction:
        """A cost of q points, by its logarithm if it is ``logged``."""
        if index in self._exact:
            return self._exact_prediction(index, points)
        return self._surrogates[index].predict(features)[0]

    def predict_primary(self, points: Sequence[EncodedPoint], features: Floats) -> list[Prediction]:
        """The primary loss of q points in each sample, its standard deviation inflated by ``std_scale``."""
        if self.primary in self._exact:
            return [self._exact_prediction(self.primary, points)]
        predictions = self._surrogates[self.primary].predict(features)
        return [replace(prediction, std=self._std_scale * prediction.std) for prediction in predictions]

    def _expected(self, index: int, points: Sequence[EncodedPoint], features: Floats) -> Floats:
        if not points:
            return np.empty(0)
        mean = self.predict_cost(index, points, features).mean
        return np.asarray(np.exp(mean)) if index in self.logged else mean

    def _exact_prediction(self, index: int, points: Sequence[EncodedPoint]) -> Prediction:
        values = np.asarray([point.description.objectives[index] for point in points])
        return Prediction(mean=self._observations.signs[index] * values, std=np.zeros(len(points)))
