"""CurveForecastStopping: early stopping behind Ray Tune."""

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from search.contract.epochs import CurvePoint
from search.contract.reports import CompletedTrial, StoppedTrial
from search.tune.codec import decode_report, decode_suggestion
from search.tune.early_stopping import Stopping


class CurveForecastStopping(FIFOScheduler):  # type: ignore[misc]
    """Stops a trial whose verdict is against it, and notes it in ``stopping.stopped``, where the search reads it."""

    def __init__(self, stopping: Stopping) -> None:
        super().__init__()
        self._stopping = stopping
        self._curves: dict[str, list[CurvePoint]] = {}

    def __getstate__(self) -> dict[str, object]:
        """Tune pickles what it is given to restore it one day; a study is rebuilt from the trials table instead."""
        return {}

    def on_trial_result(self, tune_controller: object, trial: Trial, result: dict[str, object]) -> str:
        """Judge a trial after an epoch, by its costs so far and its learning curve."""
        report = decode_report(result)
        if report is None or report.epoch is None:
            return str(TrialScheduler.CONTINUE)
        curve = self._curves.setdefault(trial.trial_id, [])
        curve.append(report.epoch.curve_point)
        cohort = decode_suggestion(trial.config).cohort
        reason = self._stopping.verdict(report.measurement.metrics, curve, cohort)
        if reason is None:
            return str(TrialScheduler.CONTINUE)
        stopped = StoppedTrial(reason=reason, measurement=report.measurement, curve=tuple(curve))
        self._stopping.stopped[trial.trial_id] = stopped
        return str(TrialScheduler.STOP)

    def on_trial_complete(self, tune_controller: object, trial: Trial, result: dict[str, object]) -> None:
        """Learn from a completed trial: Tune reports its last epoch here only."""
        curve = self._curves.pop(trial.trial_id, [])
        report = decode_report(result)
        if report is not None and isinstance(report.result, CompletedTrial):
            last = [] if report.epoch is None else [report.epoch.curve_point]
            cohort = decode_suggestion(trial.config).cohort
            self._stopping.learn(report.result.measurement.metrics, [*curve, *last], cohort)
