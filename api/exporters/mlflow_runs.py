"""A study as MLflow runs: one for the study and, nested in it, one per trial with parameters, curve and metrics."""

import time
from datetime import datetime

from api.client.errors import MissingPackageError, TargetError
from api.client.resources import Study, TrialInFull
from search.contract.states import StudyState, TrialState

EXPERIMENT = "seedleaf"
_STATUS = {TrialState.COMPLETED: "FINISHED", TrialState.STOPPED: "FINISHED", TrialState.CANCELLED: "KILLED"}
_CURVE = ("loss", "f1", "accuracy")
#: MLflow's limits: entries in one call, characters in a parameter's value.
_BATCH, _LONGEST_VALUE = 1000, 6000


class MlflowRuns:
    """``out`` is a tracking URI such as ``http://mlflow:5000`` or ``sqlite:///mlflow.db``."""

    def __init__(self, study: Study, out: str) -> None:
        try:
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
        except ModuleNotFoundError as error:
            raise MissingPackageError("mlflow", "'seedleaf[mlflow]'") from error
        try:
            self._mlflow = MlflowClient(out)
            experiment = self._mlflow.get_experiment_by_name(EXPERIMENT)
            self._experiment = experiment.experiment_id if experiment else self._mlflow.create_experiment(EXPERIMENT)
        except MlflowException as error:
            raise TargetError(f"MLflow at {out}: {str(error).splitlines()[0]}") from error
        tags = {"seedleaf.study_id": study.id, "seedleaf.dataset_id": study.dataset_id or ""}
        self._parent = self._start(study.name, study.created_at, tags)
        self._mlflow.log_dict(self._parent, study.spec.model_dump(mode="json"), "study.json")

    def add(self, trial: TrialInFull) -> None:
        from mlflow.entities import Metric, Param

        tags = {
            "mlflow.parentRunId": self._parent,
            "seedleaf.trial_id": trial.id,
            "seedleaf.state": trial.state.value,
            "seedleaf.reason": trial.reason or "",
            "seedleaf.host": trial.host or "",
        }
        run_id = self._start(f"trial {trial.number}", trial.created_at, tags)
        ended_ms = _ms(trial.finished_at)
        started_ms = _ms(trial.created_at)
        curve = [
            Metric(f"epoch.{name}", getattr(epoch, name), started_ms + round(1000 * epoch.elapsed_s), epoch.epoch)
            for epoch in trial.epochs
            for name in _CURVE
        ]
        metrics = curve + [Metric(name, value, ended_ms, 0) for name, value in trial.metrics.items()]
        params = [Param(name, str(value)[:_LONGEST_VALUE]) for name, value in trial.assignment.items()]
        for start in range(0, max(len(metrics), 1), _BATCH):
            self._mlflow.log_batch(run_id, metrics=metrics[start : start + _BATCH], params=params if not start else ())
        self._mlflow.set_terminated(run_id, _STATUS.get(trial.state, "FAILED"), ended_ms)

    def close(self, state: StudyState) -> None:
        status = {StudyState.COMPLETED: "FINISHED", StudyState.FAILED: "FAILED", StudyState.CANCELLED: "KILLED"}
        self._mlflow.set_terminated(self._parent, status.get(state, "RUNNING"))

    def _start(self, name: str, at: datetime, tags: dict[str, str]) -> str:
        run = self._mlflow.create_run(self._experiment, start_time=_ms(at), tags=tags, run_name=name)
        return str(run.info.run_id)


def _ms(at: datetime | None) -> int:
    return round(1000 * (at.timestamp() if at else time.time()))
