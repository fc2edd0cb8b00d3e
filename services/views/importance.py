"""What the good trials of a study share."""

from sqlalchemy import Connection

from search.contract.metrics import MetricName
from search.contract.states import TrialState
from search.samplers.ped_anova import importance_of
from search.study.importance import Importance
from search.study.spec import StudySpec
from services.jobs.recorder import past_trial
from services.store import studies, trials

#: Replaying a trial's choices takes a millisecond: of a longer study, the latest trials are looked at.
MAX_TRIALS = 2_000


def importance(connection: Connection, study_id: str, metric: MetricName) -> Importance:
    """Of the latest completed trials, for one metric. NotFoundError for an unknown study."""
    study = studies.get(connection, study_id)
    completed = trials.of_study(connection, study_id, [TrialState.COMPLETED], latest=MAX_TRIALS)
    spec = StudySpec.model_validate(study.spec)
    return importance_of([past_trial(row) for row in completed], spec, classes=len(study.classes or ()), metric=metric)
