"""FrontierSampler: an Optuna sampler that learns what must be measured, and knows the other objectives exactly.

It suggests from the trials alone: it keeps nothing but what it computed of them. docs/search.md explains it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from threadpoolctl import ThreadpoolController

from search.pareto import front
from search.samplers.frontier.beliefs import Beliefs, violation
from search.samplers.frontier.candidates import crossed, mutated
from search.samplers.frontier.design import next_first
from search.samplers.frontier.earlier import Earlier, Memory, first_points
from search.samplers.frontier.encoding import Encoder
from search.samplers.frontier.evidence import Evidence, Known, evidence_of
from search.samplers.frontier.model import Kernels
from search.samplers.frontier.points import Describe, Description, Params, Point, describe_point
from search.spaces.distributions import draw_value

#: So many trials are spread over the space before anything is learned of them.
_FIRST_TRIALS = 8
#: Points by chance that are kept from suggestion to suggestion, and how many of them are new each time.
_POOL, _FRESH = 400, 40
#: The best candidates are bred from so often; the parents are the best so far and the front.
_ROUNDS, _CHILDREN, _PARENTS = 3, 120, 12
_CROSSED_SHARE = 0.25
#: How often a deviation counts, in turns. The model is fitted to points that were chosen to be good, and so takes the
#: others to differ less than they do: where it is believed each time, no other region is looked at (docs/search.md).
_DOUBTS = (1.0, 3.0)
#: Where describing a point takes long, fewer are looked at: as many as fit into so much of the processor's time.
_FIRST_FILL_S, _REFILL_S, _ROUND_S, _LEAST_LOOKS = 0.5, 0.1, 0.08, 16


class FrontierSampler(BaseSampler):  # type: ignore[misc]
    """For studies of one or several objectives, of which some may be known before a trial runs.

    ``describe`` makes a point's choices as the objective function does, and says what is known of it. Without it all
    objectives are learned, and only parameters that some trial had are suggested together; others are drawn by chance.
    ``earlier`` studies can be learned from where points are described. While ``time_is_short``, what a point is
    expected to gain counts by how long trials like it take. One sampler serves one study.
    """

    def __init__(
        self,
        *,
        describe: Describe | None = None,
        earlier: Sequence[Earlier] = (),
        time_is_short: Callable[[], bool] = lambda: False,
        seed: int | None = None,
    ) -> None:
        self._describe, self._time_is_short = describe, time_is_short
        self._rng = np.random.default_rng(seed)
        self._encoder, self._kernels = Encoder(), Kernels()
        self._threads = ThreadpoolController()
        self._memories: list[Memory] = []
        self._first: list[Point] = []
        if earlier:
            if describe is None:
                raise ValueError("earlier studies are learned from by describing their points: pass describe as well")
            self._memories = [Memory(study, describe, self._encoder, self._rng) for study in earlier]
            self._first = first_points(earlier, describe, self._rng, _FIRST_TRIALS // 2)
        self._past: dict[int, tuple[Params, Known]] = {}
        self._pool: list[Known] = []
        self._suggested: dict[int, Params] = {}

    def reseed_rng(self) -> None:
        self._rng = np.random.default_rng()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        others = [other for other in study.get_trials(deepcopy=False) if other.params and other.number != trial.number]
        # Matrices of some hundred rows are too small to be shared: threads would wait for each other most.
        with self._threads.limit(limits=1, user_api="blas"):
            point = self._next([(other, self._known_of(other)) for other in others], study.directions)
        if point is None:
            return {}
        self._suggested[trial.number] = point.params
        return dict(point.distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return dict(self._suggested.pop(trial.number, {}))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return draw_value(param_distribution, self._rng)

    def _known_of(self, trial: FrozenTrial) -> Known:
        params, known = self._past.get(trial.number, (None, None))
        if known is None or params != trial.params:
            known = self._look(trial.params, trial.distributions)
            self._past[trial.number] = (trial.params, known)
        return known

    def _look(self, wanted: Params, distributions: dict[str, BaseDistribution]) -> Known:
        """The point of the ``wanted`` choices, described where that is possible."""
        if self._describe is not None:
            point = describe_point(self._describe, wanted, self._rng)
        else:
            params = {name: wanted[name] for name in distributions}
            point = Point(params=params, distributions=distributions, known=Description())
        row = self._encoder.row(point)
        for number, memory in enumerate(self._memories):
            row = self._encoder.with_column(row, f"score in earlier study {number}", memory.score(row))
        return Known(point=point, row=row)

    def _next(self, trials: Sequence[tuple[FrozenTrial, Known]], directions: Sequence[StudyDirection]) -> Point | None:
        """What to try next; None leaves all choices to chance."""
        if self._describe is None and not trials:
            return None
        tried = {known.point.key for _, known in trials}
        self._refill(tried, [known for _, known in trials])
        if not self._pool:
            return None
        signs = np.asarray([-1.0 if direction is StudyDirection.MAXIMIZE else 1.0 for direction in directions])
        if sum(trial.state.is_finished() for trial, _ in trials) >= _FIRST_TRIALS:
            return self._best(evidence_of(trials, signs), tried, _DOUBTS[len(trials) % len(_DOUBTS)])
        untried = [point for point in self._first if point.key not in tried and not violation(point)]
        if untried:
            return untried[0]
        pool = [known for known in self._pool if not violation(known.point)]
        nearest = min(self._pool, key=lambda known: violation(known.point))
        past = [known for _, known in trials]
        return next_first(past, pool or [nearest], signs, self._encoder, time_is_short=self._time_is_short()).point

    def _refill(self, tried: set[Any], past: Sequence[Known]) -> None:
        """Replace some of the pool by new points by chance."""
        count = max(_FRESH, _POOL - len(self._pool))
        limit_s = _REFILL_S if self._pool else _FIRST_FILL_S
        fresh = [self._by_chance(past) for _ in _while_time(limit_s, count)]
        points = {known.point.key: known for known in [*fresh, *self._pool] if known.point.known.possible}
        self._pool = [known for key, known in points.items() if key not in tried][:_POOL]

    def _by_chance(self, past: Sequence[Known]) -> Known:
        if self._describe is not None:
            return self._look({}, {})
        distributions = dict(past[int(self._rng.integers(len(past)))].point.distributions)
        drawn = {name: draw_value(distribution, self._rng) for name, distribution in distributions.items()}
        return self._look(drawn, distributions)

    def _best(self, evidence: Evidence, tried: set[Any], doubt: float) -> Point:
        """The point of the highest score that a short evolution from the pool and the front finds."""
        beliefs = Beliefs(
            evidence,
            self._pool,
            encoder=self._encoder,
            kernels=self._kernels,
            rng=self._rng,
            time_is_short=self._time_is_short(),
            doubt=doubt,
        )
        best = [evidence.measured[index].point for index in front(evidence.losses[: evidence.complete])]
        generation, seen = self._pool, set(tried)
        for _ in range(_ROUNDS):
            ranked = np.argsort(-beliefs.scores(generation), kind="stable")
            survivors = [generation[index] for index in ranked[: 4 * _PARENTS]]
            parents = [known.point for known in survivors[:_PARENTS]] + best
            generation = survivors + self._children(parents, seen)
        return generation[int(np.argmax(beliefs.scores(generation)))].point

    def _children(self, parents: Sequence[Point], seen: set[Any]) -> list[Known]:
        """New points near the parents, none of them ``seen`` before; they are added to these."""
        children = []
        for _ in _while_time(_ROUND_S, _CHILDREN):
            parent, other = (parents[index] for index in self._rng.integers(len(parents), size=2))
            cross = self._rng.random() < _CROSSED_SHARE
            wanted = crossed(parent, other, self._rng) if cross else mutated(parent, self._rng)
            child = self._look(wanted, dict(parent.distributions))
            if child.point.known.possible and child.point.key not in seen:
                seen.add(child.point.key)
                children.append(child)
        return children


def _while_time(limit_s: float, count: int) -> Iterator[int]:
    """Numbers up to ``count``, and after the first few only while the thread has computed for less than ``limit_s``."""
    started_s = time.thread_time()
    for number in range(count):
        if number >= _LEAST_LOOKS and time.thread_time() - started_s > limit_s:
            return
        yield number
