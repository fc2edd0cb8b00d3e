"""What the record says about one quantity that is known only once it is measured."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from search.samplers.frontier.encoding import Scale
from search.samplers.frontier.gain import Guess
from search.samplers.frontier.gaussian import Columns, Kernel, Posterior, fit_kernel

Floats = NDArray[np.float64]
#: A longer record is learned from a sample of it: the effort grows with the cube of the points.
MOST_POINTS = 1000


class Kernels:
    """The last kernel of each quantity, from where the next one is sought while the features are the same."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, Kernel]] = {}

    def start(self, name: str, scale: Scale, parts: Columns) -> Kernel:
        used, kernel = self._kept.get(name, (None, None))
        return kernel if kernel is not None and used == scale.used.tobytes() else Kernel.prior(parts)

    def keep(self, name: str, scale: Scale, kernel: Kernel) -> None:
        self._kept[name] = (scale.used.tobytes(), kernel)


class Learned:
    """A quantity as a Gaussian process over the features of n measured points; smaller is better.

    ``deviations`` [n] says how far what is known only roughly may be from the truth. The kernel is sought from
    ``start``.
    """

    def __init__(
        self,
        features: Floats,
        measured: Floats,
        deviations: Floats,
        rng: np.random.Generator,
        *,
        start: Kernel,
    ) -> None:
        self._location, self._scale = float(measured.mean()), float(measured.std()) or 1.0
        targets, extra = (measured - self._location) / self._scale, (deviations / self._scale) ** 2
        self.kernel = fit_kernel(features, targets, extra, rng, start)
        self._posterior = Posterior(self.kernel, features, targets[:, None], extra)

    def imagine(self, features: Floats, count: int, rng: np.random.Generator) -> None:
        """Go on with ``count`` draws of what the points in flight will come to."""
        self._posterior = self._posterior.imagined(features, count, rng)

    def smoothed(self) -> Floats:
        """The quantity without noise at the measured points, and then at those in flight, a column a draw."""
        return self._location + self._scale * self._posterior.smoothed()

    def guesses(self, features: Floats) -> list[Guess]:
        """What is believed of other points, in each draw."""
        mean, deviation = self._posterior.predict(features)
        return [
            Guess(mean=self._location + self._scale * column, deviation=self._scale * deviation) for column in mean.T
        ]

    def probability_below(self, features: Floats, level: float) -> Floats:
        (guess, *_) = self.guesses(features)
        return np.asarray(ndtr((level - guess.mean) / guess.deviation))


def without_outliers(measured: Floats) -> tuple[Floats, float]:
    """The values with what lies above Tukey's upper fence moved onto it, and the fence.

    A training that collapsed tells how it ended, not on which scale the others differ.
    """
    first, third = np.quantile(measured, (0.25, 0.75))
    fence = float(third + 1.5 * (third - first)) if third > first else float(measured.max())
    return np.minimum(measured, fence), fence
