"""CurveForecastStopping: early stopping behind Ray Tune."""

from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from search.contract.reports import CurvePoint
from search.tune.early_stopping import Stopping


class CurveForecastStopping(FIFOScheduler):  # type: ignore[misc]
    """Stops a trial whose verdict is against it; ``stopped`` says why, by Tune's id of the trial."""

    def __init__(self, stopping: Stopping) -> None:
        super().__init__()
        self._stopping = stopping
        self._curves: dict[str, list[CurvePoint]] = {}
        self.stopped: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles what it is given to restore it one day; a study is rebuilt from the trials table instead."""
        return {}

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Judge a trial after an epoch; its costs are among what it reports."""
        curve = self._curves.setdefault(trial.trial_id, [])
        curve.append(CurvePoint(f1=result["f1"], loss=result["loss"]))
        reason = self._stopping.verdict(result, curve)
        if reason is None:
            return str(TrialScheduler.CONTINUE)
        self.stopped[trial.trial_id] = reason
        return str(TrialScheduler.STOP)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Learn from a trial that came to its end: Tune tells of its last epoch here only."""
        curve = self._curves.pop(trial.trial_id, [])
        if trial.trial_id not in self.stopped and not result.get("infeasible"):
            self._stopping.learn(result, [*curve, CurvePoint(f1=result["f1"], loss=result["loss"])])
