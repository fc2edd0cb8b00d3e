"""StudySearch: Optuna behind Ray Tune, with the record kept elsewhere. The only importer of Ray's searcher.

Optuna's study lives in memory and is rebuilt from the recorded trials whenever a driver starts. Asking, rejecting what
a constraint rules out before training, and passing over duplicates happen here; what is recorded goes to a TrialLog.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import optuna
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState
from ray import ObjectRef
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from search.contract.candidate import Candidate, Enqueued, UnbuildableError
from search.contract.epochs import CurvePoint
from search.contract.metrics import NATURAL_GOALS, TRAINED_METRICS, Goal, Metrics, first_complaint
from search.contract.reports import CompletedTrial, InfeasibleTrial, StoppedTrial
from search.contract.states import TrialState
from search.contract.trials import Assignment, PastTrial, TrialRole
from search.samplers.describe import Features, Profile, describing
from search.samplers.frontier import EXPECTED, SECONDS, TransferData
from search.samplers.named import SAMPLERS, SamplerInputs
from search.samplers.optuna_trials import OPTUNA_STATES, Replay, chooser_of, frozen_trial, violations
from search.spaces.chooser import Chooser
from search.study.draw import WITHOUT_TEACHER, draw, is_taught
from search.study.enqueue import GivenChoices
from search.study.spec import StudySpec
from search.study.yardsticks import probe_candidate
from search.tune.codec import SuggestedTrial, decode_report, encode_suggestion
from search.tune.durations import Durations, Training, WaitingPoint, next_point
from search.tune.early_stopping import Stopping

_SAMPLER_ATTEMPTS = 20
_RANDOM_ATTEMPTS = 300
#: Of proposals in a row that would outlast the minutes: how many come from the sampler before random ones follow, and
#: how many there are before the search ends.
_TOO_LONG_ATTEMPTS, _MOST_TOO_LONG_ATTEMPTS = 3, 50


class TrialLog(Protocol):
    """Where the search asks for the budget, and writes what it decides before anything runs."""

    def accepts_more(self) -> bool:
        """Whether the budget and the study's state allow one more trial."""

    def time_is_short(self) -> bool:
        """Whether the budget's minutes look like running out before its trials do."""

    def seconds_left(self) -> float | None:
        """What is left of the budget's minutes; None if these have no limit."""

    def enqueued(self) -> Mapping[str, Enqueued]:
        """What to run before the sampler's own choices, by its id in the queue."""

    def started(self, *, assignment: Assignment, candidate: Candidate, metrics: Metrics, enqueued: str | None) -> str:
        """Record a trial that will now be run, and take ``enqueued`` off the queue; returns the trial's id."""

    def infeasible(
        self, *, assignment: Assignment, candidate: Candidate, metrics: Metrics, reason: str, enqueued: str | None
    ) -> None:
        """Record a trial that a constraint ruled out before training, and take ``enqueued`` off the queue."""

    def sampled(self, elapsed_s: float) -> None:
        """Note how long the sampler took to propose a candidate, whatever becomes of it."""


class _Key(NamedTuple):
    """What two trials have in common of which one need not be run."""

    fingerprint: str
    epochs: int


@dataclass(frozen=True, kw_only=True)
class _RunningTrial:
    """``metrics`` are those that need no training."""

    key: _Key
    metrics: Metrics
    started_s: float


class StudySearch(OptunaSearch):  # type: ignore[misc]
    """Suggests candidates of one study until its TrialLog takes no more.

    ``profile`` gives the metrics that need no training (macs, params), ``features`` what else an architecture can be
    told by; both in milliseconds, or they raise UnbuildableError. ``stopping`` is needed where trials may be STOPPED.
    ``transfer`` is what earlier studies offer. ``answers`` gives a reference to a teacher's answers, or None as long as
    there are none.
    """

    def __init__(
        self,
        *,
        spec: StudySpec,
        classes: int,
        history: Sequence[PastTrial],
        log: TrialLog,
        profile: Profile,
        features: Features,
        stopping: Stopping | None = None,
        transfer: Sequence[TransferData] = (),
        answers: Callable[[], ObjectRef | None] = lambda: None,
    ) -> None:
        self._answers = answers
        self._spec, self._classes, self._log, self._profile = spec, classes, log, profile
        self._stopping = stopping
        self._outcomes: dict[_Key, PastTrial | None] = {}
        self._probes: set[str] = set()
        self._running: dict[str, _RunningTrial] = {}
        self._durations = Durations()
        self._queued: set[str] = set()
        #: Why the search has no more trials to propose; None while it has.
        self.end_reason: str | None = None
        past = len(history)
        describe = describing(spec, classes=classes, profile=profile, features=features)
        # The number of past trials moves the seed on: the same seed would suggest the same points again.
        inputs = SamplerInputs(
            seed=(spec.sampler.seed + 7919 * past) % 2**32,
            describe=describe,
            transfer=transfer,
            absent=WITHOUT_TEACHER,
            time_is_short=log.time_is_short,
            seconds_left=log.seconds_left,
        )
        self._usual = SAMPLERS[spec.sampler.name](inputs)
        # Looks for what is left where the usual one keeps proposing what is known already.
        self._random = optuna.samplers.RandomSampler(seed=past)
        super().__init__(
            space=lambda trial: self._drawn(trial).model_dump(),
            metric=[objective.metric for objective in spec.objectives],
            mode=["max" if objective.goal is Goal.MAXIMIZE else "min" for objective in spec.objectives],
            sampler=self._usual,
            study_name=spec.name,
        )
        for trial in history:
            if not trial.is_point:
                continue
            self._ot_study.add_trial(self._frozen(trial))
            taught = is_taught(trial.assignment)
            replayed = draw(spec.space, Replay(values=trial.assignment), classes=classes, taught=taught)
            key = self._key(replayed, trial.assignment)
            self._outcomes[key] = trial
            if trial.state is TrialState.COMPLETED and "macs" in trial.metrics:
                self._durations.note(key, Training(macs=trial.metrics["macs"], epochs=key.epochs), trial.seconds)

    def _frozen(self, past: PastTrial) -> FrozenTrial:
        frozen = frozen_trial(past, self._spec, classes=self._classes)
        frozen.set_user_attr(SECONDS, past.seconds)
        if past.state is TrialState.STOPPED:
            frozen.set_user_attr(EXPECTED, self._expected(past.metrics, past.curve, past.assignment))
        return frozen

    def _expected(
        self, metrics: Metrics, curve: Sequence[CurvePoint], assignment: Assignment
    ) -> list[tuple[float, float] | None]:
        """What a trial that was stopped was on its way to, by objective; None for what nobody knows."""
        expected = {name: (value, 0.0) for name, value in metrics.items() if name not in TRAINED_METRICS}
        forecast = None
        if self._stopping is not None and curve:
            forecast = self._stopping.forecast(curve, self._spec.cohort_of(assignment))
        if forecast is not None:
            expected["f1"] = (forecast.mean, forecast.deviation)
        return [expected.get(objective.metric) for objective in self._spec.objectives]

    def suggest(self, trial_id: str) -> dict[str, object] | str | None:
        """The next trial to run, a SuggestedTrial as Tune's config; FINISHED; or None while a probe runs, which the
        others would slow down: it is a study's first model, and takes seconds.
        """
        attempts = too_long = 0
        while self._log.accepts_more():
            if (probe := self._waiting_probe()) is not None:
                if (suggested := self._begin_probe(*probe)) is not None:
                    self._probes.add(trial_id)
                    return encode_suggestion(suggested)
                continue
            if self._probes:
                return None
            self._take_from_queue()
            is_usual = attempts < _SAMPLER_ATTEMPTS and too_long < _TOO_LONG_ATTEMPTS
            trial, candidate = self._draw(self._usual if is_usual else self._random)
            key = self._key(candidate, trial.params)
            if key in self._outcomes and "enqueued" not in trial.user_attrs:
                self._pass_over(trial, self._outcomes[key])
                attempts += 1
                if attempts >= _SAMPLER_ATTEMPTS + _RANDOM_ATTEMPTS:
                    self.end_reason = "the whole space has been tried"
                    break
                continue
            metrics, reason = self._priced(candidate)
            if reason is None and "enqueued" not in trial.user_attrs and not self._ends_in_time(key, metrics):
                self._pass_over(trial, None)
                too_long += 1
                if too_long >= _MOST_TOO_LONG_ATTEMPTS:
                    self.end_reason = "no further trial would end in the minutes that are left"
                    break
                continue
            attempts = 0
            if reason is None:
                return self._start(trial_id, trial, candidate, metrics)
            self._log.infeasible(
                assignment=trial.params,
                candidate=candidate,
                metrics=metrics,
                reason=reason,
                enqueued=trial.user_attrs.get("enqueued"),
            )
            self._reject(trial, key, metrics)
        return str(Searcher.FINISHED)

    def _key(self, candidate: Candidate, assignment: Assignment) -> _Key:
        return _Key(candidate.fingerprint, self._spec.epochs_for(assignment))

    def _priced(self, candidate: Candidate) -> tuple[Metrics, str | None]:
        """What the candidate costs, and why it need not be run."""
        try:
            metrics = self._profile(candidate)
        except UnbuildableError as error:
            return {}, str(error)
        return metrics, first_complaint(self._spec.constraints, metrics)

    def _take_from_queue(self) -> None:
        """Have Optuna ask for the first point of the queue that the minutes allow."""
        waiting = {name: point for name, point in self._log.enqueued().items() if name not in self._queued}
        if not waiting:
            return
        points = {name: self._waiting_point(point) for name, point in waiting.items()}
        chosen = next_point(points, self._durations, seconds_left=self._log.seconds_left())
        if chosen is not None:
            self._queued.add(chosen)
            point = waiting[chosen]
            attributes = {"enqueued": chosen, "whole_gpu": point.whole_gpu, "role": point.role}
            self._ot_study.enqueue_trial(dict(point.assignment), user_attrs=attributes)

    def _ends_in_time(self, key: _Key, metrics: Metrics) -> bool:
        training = Training(macs=metrics.get("macs", 0.0), epochs=key.epochs)
        return self._durations.ends_in_time(training, seconds_left=self._log.seconds_left())

    def _waiting_point(self, point: Enqueued) -> WaitingPoint:
        """With the first choices for what the point leaves open, and 0 multiply-accumulates if it is no network."""
        candidate = draw(self._spec.space, GivenChoices(point.assignment), classes=self._classes)
        try:
            macs = self._profile(candidate).get("macs", 0.0)
        except UnbuildableError:
            macs = 0.0
        training = Training(macs=macs, epochs=self._spec.epochs_for(point.assignment))
        return WaitingPoint(training=training, is_yardstick=point.role is not None)

    def _waiting_probe(self) -> tuple[str, Assignment] | None:
        """The first probe of the queue, by its id there; it waits for no minutes: it takes seconds."""
        probes = (
            (queue_id, enqueued.assignment)
            for queue_id, enqueued in self._log.enqueued().items()
            if enqueued.role is TrialRole.PROBE and queue_id not in self._queued
        )
        return next(probes, None)

    def _begin_probe(self, queue_id: str, assignment: Assignment) -> SuggestedTrial | None:
        """Record a probe, which Optuna never sees; None if a limit rules it out."""
        self._queued.add(queue_id)
        candidate = probe_candidate(self._spec.space, assignment, classes=self._classes)
        metrics, reason = self._priced(candidate)
        if reason is not None:
            self._log.infeasible(
                assignment=assignment, candidate=candidate, metrics=metrics, reason=reason, enqueued=queue_id
            )
            return None
        recorded_id = self._log.started(assignment=assignment, candidate=candidate, metrics=metrics, enqueued=queue_id)
        return SuggestedTrial(
            trial_id=recorded_id,
            candidate=candidate,
            cohort=self._spec.cohort_of(assignment),
            whole_gpu=False,
            macs=metrics.get("macs", 0.0),
        )

    def _draw(self, sampler: optuna.samplers.BaseSampler) -> tuple[optuna.trial.Trial, Candidate]:
        # Optuna asks the study's sampler again for each parameter: it must stay until the candidate is drawn.
        self._ot_study.sampler = sampler
        started_s = time.perf_counter()
        trial = self._ot_study.ask()
        candidate = self._drawn(chooser_of(trial))
        self._log.sampled(time.perf_counter() - started_s)
        return trial, candidate

    def _drawn(self, chooser: Chooser) -> Candidate:
        return draw(self._spec.space, chooser, classes=self._classes, taught=self._answers() is not None)

    def _pass_over(self, trial: optuna.trial.Trial, outcome: PastTrial | None) -> None:
        """Tell Optuna what is known of a duplicate, so that its sampler learns and moves on."""
        if outcome is None:
            self._tell(trial, {}, OptunaState.FAIL)
        else:
            trial.set_user_attr(SECONDS, outcome.seconds)
            self._tell(trial, outcome.metrics, OPTUNA_STATES[outcome.state])

    def _start(
        self, trial_id: str, trial: optuna.trial.Trial, candidate: Candidate, metrics: Metrics
    ) -> dict[str, object]:
        recorded_id = self._log.started(
            assignment=trial.params,
            candidate=candidate,
            metrics=metrics,
            enqueued=trial.user_attrs.get("enqueued"),
        )
        self._ot_trials[trial_id] = trial
        key = self._key(candidate, trial.params)
        self._outcomes[key] = None
        self._running[trial_id] = _RunningTrial(key=key, metrics=metrics, started_s=time.monotonic())
        answers = self._answers()
        is_plain = trial.user_attrs.get("role") == TrialRole.PLAIN
        suggested = SuggestedTrial(
            trial_id=recorded_id,
            candidate=candidate,
            cohort=self._spec.cohort_of(trial.params),
            whole_gpu=trial.user_attrs.get("whole_gpu", False),
            teaches=is_plain and self._spec.trains_teacher and answers is None,
            answers=answers if candidate.distillation_weight else None,
            macs=metrics.get("macs", 0.0),
        )
        return encode_suggestion(suggested)

    def _reject(self, trial: optuna.trial.Trial, key: _Key, metrics: Metrics) -> None:
        self._tell(trial, metrics, OptunaState.PRUNED)
        self._outcomes[key] = PastTrial(
            number=trial.number, state=TrialState.INFEASIBLE, assignment=trial.params, metrics=dict(metrics)
        )

    def on_trial_result(self, trial_id: str, result: dict[str, object]) -> None:
        """Note the epoch's seconds. Optuna takes no intermediate results of several objectives."""
        running, report = self._running.get(trial_id), decode_report(result)
        if running is not None and report is not None and report.epoch is not None:
            epoch = Training(macs=running.metrics.get("macs", 0.0), epochs=1)
            self._durations.note(running.key, epoch, report.epoch.steps_s)

    def on_trial_complete(self, trial_id: str, result: dict[str, object] | None = None, error: bool = False) -> None:
        """Tell Optuna how a trial ended; what lacks an objective is never COMPLETE, and nothing stays RUNNING."""
        if trial_id in self._probes:
            self._probes.remove(trial_id)
            return
        running, trial = self._running.pop(trial_id), self._ot_trials.pop(trial_id)
        ended = None if error else self._result(trial_id, result)
        metrics = {**running.metrics, **_finite(ended.measurement.metrics if ended is not None else {})}
        state = TrialState.FAILED if error else self._state(ended, metrics)
        if isinstance(ended, StoppedTrial):
            trial.set_user_attr(EXPECTED, self._expected(metrics, ended.curve, trial.params))
        self._tell(trial, metrics, OPTUNA_STATES[state])
        if state is TrialState.CANCELLED:
            del self._outcomes[running.key]
        else:
            self._outcomes[running.key] = PastTrial(
                number=trial.number,
                state=state,
                assignment=trial.params,
                metrics=metrics,
                seconds=time.monotonic() - running.started_s,
            )

    def _result(
        self, trial_id: str, result: dict[str, object] | None
    ) -> CompletedTrial | InfeasibleTrial | StoppedTrial | None:
        """How a trial ended; None if it was cut off."""
        if self._stopping is not None and trial_id in self._stopping.stopped:
            return self._stopping.stopped[trial_id]
        report = decode_report(result)
        return None if report is None else report.result

    def _state(self, ended: CompletedTrial | InfeasibleTrial | StoppedTrial | None, metrics: Metrics) -> TrialState:
        lacking = any(objective.metric not in metrics for objective in self._spec.objectives)
        if ended is None or (isinstance(ended, CompletedTrial) and lacking):
            return TrialState.CANCELLED
        return ended.state

    def _tell(self, trial: optuna.trial.Trial, metrics: Metrics, state: OptunaState) -> None:
        if state is not OptunaState.FAIL:
            for name, violation in violations(self._spec.constraints, metrics).items():
                trial.set_constraint(name, violation)
        values = None
        if state is OptunaState.COMPLETE:
            values = [metrics[objective.metric] for objective in self._spec.objectives]
        self._ot_study.tell(trial, values, state=state)

    def save(self, checkpoint_path: str) -> None:
        """Tune wants a file; the record is the trials table."""
        Path(checkpoint_path).write_text("kept in the trials table\n")

    def __getstate__(self) -> dict[str, object]:
        """Tune pickles what it is given to restore it one day; a search is rebuilt from the trials table instead."""
        return {}


def _finite(metrics: Metrics) -> Metrics:
    """The metrics that an objective or a constraint may name, without those that are not finite."""
    return {name: metrics[name] for name in NATURAL_GOALS if math.isfinite(metrics.get(name, math.nan))}
