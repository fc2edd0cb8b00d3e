"""What the good trials share, read from the record."""

import optuna
import pytest
from sqlalchemy import Engine

from search.contract.states import TrialState
from search.samplers.optuna_trials import chooser_of
from search.study.draw import draw
from search.study.space_spec import SpaceSpec
from services.errors import NotFoundError
from services.store import trials
from services.store.ids import new_id
from services.views import importance
from tests.integration.records import CANDIDATE, METRICS, make_study, make_trial

SPACE = {"augmentation": {"ops": ["Rotate", "Invert"], "max_ops": 1}}


def test_of_the_completed_trials_only(engine: Engine) -> None:
    study_id = make_study(engine, space=SPACE)
    sampler = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for number in range(24):
        asked = sampler.ask()
        draw(SpaceSpec.model_validate(SPACE), chooser_of(asked), classes=10)
        trial_id = new_id("trial")
        with engine.begin() as connection:
            trials.add(
                connection,
                trial_id=trial_id,
                study_id=study_id,
                number=number,
                candidate=CANDIDATE,
                assignment=asked.params,
                metrics={},
            )
            if number < 20:
                f1 = 0.5 + 0.3 * asked.params["augmentation.Rotate"]
                trials.end(connection, trial_id, TrialState.COMPLETED, metrics={**METRICS, "f1": f1})
            else:
                trials.end(connection, trial_id, TrialState.FAILED, reason="for a test")
    with engine.connect() as connection:
        found = importance.importance(connection, study_id, "f1")
    assert (found.trials, found.best) == (20, 5)
    assert (found.operations[0].name, found.operations[0].share_of_best) == ("Rotate", 1.0)


def test_an_unknown_study_is_not_found(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(NotFoundError):
        importance.importance(connection, "nothing", "f1")


def test_trials_that_the_space_cannot_have_drawn_do_not_count(engine: Engine) -> None:
    study_id = make_study(engine, space=SPACE)
    for _ in range(10):
        make_trial(engine, study_id)
    with engine.connect() as connection:
        found = importance.importance(connection, study_id, "f1")
    assert (found.trials, found.best, found.parameters) == (0, 0, ())
