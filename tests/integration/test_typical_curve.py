"""How a study's trials learned, as one curve."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from search.contract.states import TrialState
from search.contract.trials import TrialRole
from services.store import trials
from tests.integration.records import EPOCH, make_study, make_trial


def test_the_quartiles_of_each_epoch_are_those_of_the_completed_trials(engine: Engine) -> None:
    study_id = make_study(engine)
    for best_f1 in (0.1, 0.2, 0.3, 0.4, 0.5):
        _learned(engine, study_id, make_trial(engine, study_id), (best_f1 / 2, best_f1))
    _learned(engine, study_id, make_trial(engine, study_id), (0.9,))
    _learned(engine, study_id, make_trial(engine, study_id, TrialState.CANCELLED), (0.01, 0.01))
    _learned(engine, study_id, make_trial(engine, study_id, role=TrialRole.PROBE), (0.99,))
    with engine.connect() as connection:
        first, second = trials.typical_curve(connection, study_id)
        assert trials.typical_curve(connection, make_study(engine)) == []
    assert (first.epoch, first.trials, second.epoch, second.trials) == (1, 6, 2, 5)
    assert [second.lower_f1, second.median_f1, second.upper_f1] == pytest.approx([0.2, 0.3, 0.4])


def _learned(engine: Engine, study_id: str, trial_id: str, curve: tuple[float, ...]) -> None:
    with engine.begin() as connection:
        for epoch, f1 in enumerate(curve, 1):
            report = replace(EPOCH, epoch=epoch, f1=f1, accuracy=f1, elapsed_s=float(epoch))
            trials.add_epoch(connection, study_id, trial_id, report)
