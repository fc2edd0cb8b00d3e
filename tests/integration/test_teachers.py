"""Whose answers a distillation follows: the study's best model."""

import pytest
from sqlalchemy import Engine

from search.contract.states import TrialState
from services.store import trials
from services.studies import life_cycle
from tests.integration.records import make_study, make_trial


def _best(engine: Engine, study_id: str) -> tuple[str, str]:
    with engine.connect() as connection:
        trial, weights_sha256 = life_cycle.best_model(connection, study_id)
    return trial.id, weights_sha256


def test_the_teacher_is_the_studys_completed_trial_of_the_best_f1(engine: Engine) -> None:
    study_id = make_study(engine)
    make_trial(engine, study_id, TrialState.FAILED)
    best, *_ = (make_trial(engine, study_id, f1=f1) for f1 in (0.8, 0.7, 0.6))
    make_trial(engine, make_study(engine), f1=0.99)
    assert _best(engine, study_id) == (best, "0" * 64)


@pytest.mark.parametrize(("retrained_f1", "wins"), [(0.9, True), (0.5, False)])
def test_what_was_trained_in_full_counts_by_that(engine: Engine, retrained_f1: float, wins: bool) -> None:
    study_id = make_study(engine)
    retrained, other = make_trial(engine, study_id, f1=0.7), make_trial(engine, study_id, f1=0.6)
    with engine.begin() as connection:
        trials.set_retrained(connection, retrained, f1=retrained_f1, f1_deviation=0.0)
    assert _best(engine, study_id)[0] == (retrained if wins else other)
