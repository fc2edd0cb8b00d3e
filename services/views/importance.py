"""What the good trials of a study have in common."""

from sqlalchemy import Connection

from search.contract.importance import Importance
from search.contract.metrics import MetricName
from search.contract.states import TrialState
from search.samplers.ped_anova import importance_of
from services.store import studies, trials

#: Replaying a trial's choices takes a millisecond: of a longer study, only the latest trials count.
MAX_TRIALS = 2_000


def importance(connection: Connection, study_id: str, metric: MetricName) -> Importance:
    """Of the latest completed trials, for one metric. NotFoundError for an unknown study."""
    study = studies.get(connection, study_id)
    completed = trials.list_by_study(connection, study_id, [TrialState.COMPLETED], latest=MAX_TRIALS)
    past = [trial.as_past() for trial in completed]
    return importance_of(past, study.spec, classes=len(study.classes or ()), metric=metric)
