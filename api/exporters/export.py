"""Export a study to another tool, trial by trial; with ``live``, until the study ends."""

from collections.abc import Callable, Iterator

from api.client.client import Client
from api.client.resources import Study, TrialInFull
from api.exporters.exporter import Exporter, Target
from api.exporters.mlflow_runs import MlflowRuns
from api.exporters.optuna_files import journal, sqlite
from api.exporters.tensorboard_logs import TensorBoardLogs
from search.contract.states import TERMINAL_STUDY_STATES, StudyState, TrialState

EXPORTERS: dict[Target, Callable[[Study, str], Exporter]] = {
    "optuna-journal": journal,
    "optuna-sqlite": sqlite,
    "mlflow": MlflowRuns,
    "tensorboard": TensorBoardLogs,
}


def export(client: Client, study: Study, target: Target, out: str, *, live: bool) -> int:
    """Write a study's ended trials to ``out``; with ``live`` also those that end later, until the study ends.

    Returns the number of trials written. TargetError if ``out`` cannot be written; MissingPackageError.
    """
    exporter = EXPORTERS[target](study, out)
    count = 0
    for trial in _ended_trials(client, study, live=live):
        exporter.add(trial)
        count += 1
    exporter.close(study.refresh().state)
    return count


def _ended_trials(client: Client, study: Study, *, live: bool) -> Iterator[TrialInFull]:
    """Each ended trial once: by number, then as they end."""
    exported = set()
    for trial in client.iter_trials(study_id=study.id, sort="number"):
        if trial.state is not TrialState.RUNNING:
            exported.add(trial.id)
            yield trial.refresh()
    if not live or study.state in TERMINAL_STUDY_STATES:
        return
    for event in client.stream_events(study.id, after=study.last_event_id):
        if event.kind == "trial" and event.trial_id not in exported and event.payload["state"] != TrialState.RUNNING:
            assert event.trial_id is not None
            exported.add(event.trial_id)
            yield client.get_trial(event.trial_id)
        if event.kind == "study" and StudyState(event.payload["state"]) in TERMINAL_STUDY_STATES:
            return
