"""A study written to another tool, trial by trial; live, as long as it runs."""

from collections.abc import Callable, Iterator

from api.client.client import Client
from api.client.resources import Study, TrialInFull
from api.exporters.mlflow_runs import MlflowRuns
from api.exporters.optuna_files import journal, sqlite
from api.exporters.sink import Sink, Target
from api.exporters.tensorboard_logs import TensorBoardLogs
from search.contract.states import TERMINAL_STUDY_STATES, StudyState, TrialState

SINKS: dict[Target, Callable[[Study, str], Sink]] = {
    "optuna-journal": journal,
    "optuna-sqlite": sqlite,
    "mlflow": MlflowRuns,
    "tensorboard": TensorBoardLogs,
}


def export(client: Client, study_id: str, target: Target, out: str, *, live: bool) -> int:
    """Write a study's ended trials to ``out``; with ``live`` those too that end until the study does. How many."""
    study = client.get_study(study_id)
    sink = SINKS[target](study, out)
    count = 0
    for trial in _ended_trials(client, study, live=live):
        sink.add(trial)
        count += 1
    sink.close(study.refresh().state)
    return count


def _ended_trials(client: Client, study: Study, *, live: bool) -> Iterator[TrialInFull]:
    """Each trial once, by number and then as they end."""
    known = set()
    for trial in client.iter_trials(study_id=study.id, sort="number"):
        if trial.state is not TrialState.RUNNING:
            known.add(trial.id)
            yield trial.refresh()
    if not live or study.state in TERMINAL_STUDY_STATES:
        return
    for event in client.stream_events(study.id, after=study.last_event_id):
        if event.kind == "trial" and event.trial_id not in known and event.payload["state"] != TrialState.RUNNING:
            assert event.trial_id is not None
            known.add(event.trial_id)
            yield client.get_trial(event.trial_id)
        if event.kind == "study" and StudyState(event.payload["state"]) in TERMINAL_STUDY_STATES:
            return
