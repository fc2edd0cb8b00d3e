"""FrontierSampler: a Bayesian-optimization sampler for Optuna that models only what must be measured.

It suggests from the trials alone: its state is a cache of what it computed from them. docs/search.md explains it.
"""

import time
from collections.abc import Callable, Iterator, Sequence, Set
from types import MappingProxyType

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from threadpoolctl import ThreadpoolController

from search.contract.trials import Assignment, ParameterValue
from search.pareto import front
from search.samplers.distributions import draw_value
from search.samplers.frontier.acquisition import AcquisitionFunction
from search.samplers.frontier.candidates import cross, mutate
from search.samplers.frontier.encoding import EncodedPoint, Encoder
from search.samplers.frontier.initial_design import is_initial, next_initial_point
from search.samplers.frontier.observations import Observations, observations_of
from search.samplers.frontier.point_encoder import PointEncoder
from search.samplers.frontier.points import Describe, Point
from search.samplers.frontier.surrogate import KernelCache
from search.samplers.frontier.transfer import TransferData, initial_points

#: Points of earlier studies that are tried first, at most.
_TRANSFERRED = 4
#: Random points that are kept from suggestion to suggestion, and how many of them are new each time.
_POOL_SIZE, _NEW_POINTS = 400, 40
#: The inner evolutionary search; its parents are the best candidates and the front.
_GENERATIONS, _CHILDREN, _PARENTS = 3, 120, 12
_CROSSOVER_PROBABILITY = 0.25
#: Factors on the predicted standard deviation, in turns. The surrogate is fitted to points that were chosen to be good,
#: and underestimates how much the others differ. With a factor of 1 alone, the search stays in one region
#: (docs/search.md).
_STD_SCALES = (1.0, 3.0)
#: Where describing a point is slow, fewer are described: as many as fit into this processor time, and at least so many.
_FIRST_FILL_S, _REFILL_S, _GENERATION_S, _MIN_DESCRIPTIONS = 0.5, 0.1, 0.08, 16


class FrontierSampler(BaseSampler):
    """For studies of one or several objectives, of which some may be exact before a trial runs.

    ``describe`` chooses a point's parameters as the objective function does, and returns what can be computed without a
    run. Without it all objectives are modelled, and only parameters that some trial had are suggested together; others
    are drawn at random. ``transfer`` is what earlier studies offer, and needs ``describe``. A trial that lacks one of
    the parameters of ``absent`` counts as one with the value given there. While ``time_is_short``, an expected
    improvement counts by the duration of such trials. ``seconds_left`` says how long trials may still take, or None.
    One sampler serves one study.
    """

    def __init__(
        self,
        *,
        describe: Describe | None = None,
        transfer: Sequence[TransferData] = (),
        absent: Assignment = MappingProxyType({}),
        time_is_short: Callable[[], bool] = lambda: False,
        seconds_left: Callable[[], float | None] = lambda: None,
        seed: int | None = None,
    ) -> None:
        if transfer and describe is None:
            raise ValueError("transfer from earlier studies describes their points: pass describe as well")
        self._rng = np.random.default_rng(seed)
        self._time_is_short, self._seconds_left = time_is_short, seconds_left
        self._needs_trials = describe is None
        self._encoder, self._kernels = Encoder(), KernelCache()
        self._threads = ThreadpoolController()
        transfer = [data.completed_by(absent) for data in transfer]
        self._points = PointEncoder(describe, transfer, self._encoder, self._rng, absent=absent)
        self._initial: list[Point] = []
        if describe is not None:
            self._initial = initial_points(transfer, describe, self._rng, _TRANSFERRED)
        self._pool: list[EncodedPoint] = []
        self._suggested: dict[int, Assignment] = {}

    def reseed_rng(self) -> None:
        self._rng = np.random.default_rng()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        others = [other for other in study.get_trials(deepcopy=False) if other.params and other.number != trial.number]
        # Threads would mostly wait for each other: the matrices have some hundred rows only.
        with self._threads.limit(limits=1, user_api="blas"):
            trials = [(other, self._points.encode_trial(other, self._rng)) for other in others]
            point = self._suggest(trials, study.directions)
        if point is None:
            return {}
        self._suggested[trial.number] = point.params
        return dict(point.distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, ParameterValue]:
        return dict(self._suggested.pop(trial.number, {}))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> ParameterValue:
        return draw_value(param_distribution, self._rng)

    def _suggest(
        self, trials: Sequence[tuple[FrozenTrial, EncodedPoint]], directions: Sequence[StudyDirection]
    ) -> Point | None:
        """The point to try next; None leaves all parameters to random draws."""
        if self._needs_trials and not trials:
            return None
        past = [point for _, point in trials]
        tried = {point.point.key for point in past}
        self._refill_pool(tried, past)
        if not self._pool:
            return None
        signs = np.asarray([-1.0 if direction is StudyDirection.MAXIMIZE else 1.0 for direction in directions])
        feasible = [point for point in self._pool if not point.point.violation]
        if not is_initial(past, feasible, finished=sum(trial.state.is_finished() for trial, _ in trials)):
            std_scale = _STD_SCALES[len(trials) % len(_STD_SCALES)]
            return self._maximize_acquisition(observations_of(trials, signs), tried, std_scale)
        untried = [point for point in self._initial if point.key not in tried and not point.violation]
        if untried:
            return untried[0]
        pool = feasible or [min(self._pool, key=lambda point: point.point.violation)]
        return next_initial_point(past, pool, signs, self._encoder, time_is_short=self._time_is_short()).point

    def _refill_pool(self, tried: Set[object], past: Sequence[EncodedPoint]) -> None:
        """Replace some of the pool by new random points."""
        count = max(_NEW_POINTS, _POOL_SIZE - len(self._pool))
        limit_s = _REFILL_S if self._pool else _FIRST_FILL_S
        new = [self._points.draw(past, self._rng) for _ in _within_time(limit_s, count)]
        points = {point.point.key: point for point in [*new, *self._pool] if point.description.possible}
        self._pool = [point for key, point in points.items() if key not in tried][:_POOL_SIZE]

    def _maximize_acquisition(self, observations: Observations, tried: Set[object], std_scale: float) -> Point:
        """The best point of a short evolutionary search that starts from the pool and the front."""
        acquisition = AcquisitionFunction(
            observations,
            self._pool,
            encoder=self._encoder,
            kernels=self._kernels,
            rng=self._rng,
            time_is_short=self._time_is_short(),
            seconds_left=self._seconds_left(),
            std_scale=std_scale,
        )
        best = [observations.points[index].point for index in front(observations.losses[: observations.complete])]
        generation, seen = self._pool, set(tried)
        for _ in range(_GENERATIONS):
            ranked = np.argsort(-acquisition(generation), kind="stable")
            survivors = [generation[index] for index in ranked[: 4 * _PARENTS]]
            parents = [survivor.point for survivor in survivors[:_PARENTS]] + best
            generation = survivors + self._children(parents, seen)
        return generation[int(np.argmax(acquisition(generation)))].point

    def _children(self, parents: Sequence[Point], seen: set[object]) -> list[EncodedPoint]:
        """New points near the parents; their keys are added to ``seen``, which has those of earlier points."""
        children = []
        for _ in _within_time(_GENERATION_S, _CHILDREN):
            parent, other = (parents[index] for index in self._rng.integers(len(parents), size=2))
            is_cross = self._rng.random() < _CROSSOVER_PROBABILITY
            params = cross(parent, other, self._rng) if is_cross else mutate(parent, self._rng)
            child = self._points.encode(params, dict(parent.distributions), self._rng)
            if child.description.possible and child.point.key not in seen:
                seen.add(child.point.key)
                children.append(child)
        return children


def _within_time(limit_s: float, count: int) -> Iterator[int]:
    """Numbers below ``count``; after the first few only while the thread has computed for less than ``limit_s``."""
    started_s = time.thread_time()
    for number in range(count):
        if number >= _MIN_DESCRIPTIONS and time.thread_time() - started_s > limit_s:
            return
        yield number
