"""The end of a study: its picks are scored on the test split once, and nothing else is."""

from typing import Any

import pytest
from sqlalchemy import Engine

from search.contract.on_test import ScoresOnTest
from search.contract.states import JobState, StudyPhase, StudyState
from services.control.reconciliation import GiveUpTask, plan
from services.control.tasks import HANDLERS, MAX_LOST, list_tasks
from services.errors import LeaseLostError
from services.ray.capacity import Capacity
from services.records.scorings import ScoringResult
from services.records.studies import Study
from services.store import events, jobs, scorings, studies, trainings, trials, variants
from services.studies import commands, life_cycle
from services.views import picks
from services.views import studies as study_views
from tests.integration.records import ON_TEST, end_scoring, make_study, make_trial, make_variant, queued_scoring
from tests.integration.test_trainings import complete

WEIGHTS = "0" * 64
LATENCY = ("latency_ms", "latency_low_ms", "latency_high_ms")
NO_COMPRESSION = {"max_candidates": 0}


def timed(latency_ms: float) -> dict[str, Any]:
    return dict.fromkeys(LATENCY, latency_ms)


def searched_study(engine: Engine) -> tuple[str, dict[str, str]]:
    """A study without compression whose search has just ended: its trials by name, of which ``beaten`` is no pick."""
    study_id = make_study(engine, compression=NO_COMPRESSION)
    made = {
        "best": make_trial(engine, study_id, f1=0.9, **timed(0.3), score=0.2),
        "recommended": make_trial(engine, study_id, f1=0.895, **timed(0.2), score=0.1),
        "beaten": make_trial(engine, study_id, f1=0.8, **timed(0.4), score=0.5),
    }
    end_search(engine, study_id)
    return study_id, made


def end_search(engine: Engine, study_id: str) -> None:
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)


def search_on(engine: Engine, study_id: str) -> None:
    """Extend a study that has ended, and have it run again."""
    commands.extend(engine, study_id, max_trials=40, max_minutes=None)
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.RUNNING)


def study_of(engine: Engine, study_id: str) -> Study:
    with engine.connect() as connection:
        return studies.get(connection, study_id)


def phase_of(engine: Engine, study_id: str) -> StudyPhase | None:
    with engine.connect() as connection:
        return study_views.get(connection, study_id).phase


def scored(*trial_ids: str, scores: ScoresOnTest = ON_TEST, weights: str = WEIGHTS) -> ScoringResult:
    return ScoringResult(variants={}, trials={(trial_id, weights): scores for trial_id in trial_ids}, reason=None)


def f1_test_of(engine: Engine, trial_id: str) -> float | None:
    with engine.connect() as connection:
        return trials.get(connection, trial_id).on_test.f1_test


def to_score(engine: Engine, study_id: str) -> set[str]:
    with engine.connect() as connection:
        of_trials = {trial.id for trial in picks.trials_to_score(connection, study_id)}
        return of_trials | {variant.id for variant in picks.variants_to_score(connection, study_id)}


def test_a_study_completes_once_its_picks_and_no_others_were_scored(engine: Engine) -> None:
    study_id, made = searched_study(engine)
    assert phase_of(engine, study_id) is StudyPhase.SCORING
    assert to_score(engine, study_id) == {made["best"], made["recommended"]}
    end_scoring(engine, study_id, scored(made["best"], made["recommended"]))
    study = study_of(engine, study_id)
    assert (study.state, study.test_looks, study.test_reason) == (StudyState.COMPLETED, 1, None)
    assert phase_of(engine, study_id) is None
    assert [f1_test_of(engine, made[name]) for name in ("best", "recommended", "beaten")] == [0.8, 0.8, None]
    with engine.connect() as connection:
        told = events.list_after(connection, study_id, 0, limit=100)
    states = [event.payload["state"] for event in told if event.kind == "test_scoring"]
    assert states == ["QUEUED", "RUNNING", "COMPLETED"]


def test_variants_are_picked_for_each_host_and_runtime(engine: Engine) -> None:
    study_id = make_study(engine, StudyState.COMPLETED)
    trial_id = make_trial(engine, study_id)
    best = make_variant(engine, study_id, trial_id, f1=0.9, **timed(0.3), score=0.1)
    fast_and_poor = make_variant(engine, study_id, trial_id, f1=0.6, **timed(0.1), score=0.2)
    cheap = make_variant(engine, study_id, trial_id, f1=0.5, **timed(0.4), score=0.05)
    elsewhere = make_variant(engine, study_id, trial_id, f1=0.5, **timed(0.4), host="another host", score=0.9)
    assert to_score(engine, study_id) == {trial_id, best, cheap, elsewhere}
    with engine.begin() as connection:
        variants.set_on_test(connection, best, ON_TEST)
        assert variants.get(connection, best).on_test.test_images == 50
        assert variants.get(connection, fast_and_poor).on_test.f1_test is None
    assert to_score(engine, study_id) == {trial_id, cheap, elsewhere}


def test_the_picks_wait_for_the_compression(engine: Engine) -> None:
    study_id = make_study(engine, compression={"candidates": "top", "max_candidates": 1, "recipes": ["fp32"]})
    make_trial(engine, study_id)
    end_search(engine, study_id)
    assert (phase_of(engine, study_id), queued_scoring(engine, study_id)) == (StudyPhase.COMPRESSION, None)
    with engine.begin() as connection:
        job = jobs.lease(connection, "token", lease_s=30)
        assert job is not None
        life_cycle.end_job(connection, job, JobState.COMPLETED)
    assert phase_of(engine, study_id) is StudyPhase.SCORING
    assert queued_scoring(engine, study_id) is not None


def test_a_reopened_study_has_only_its_new_picks_scored(engine: Engine) -> None:
    study_id, made = searched_study(engine)
    end_scoring(engine, study_id, scored(made["best"], made["recommended"]))
    search_on(engine, study_id)
    better = make_trial(engine, study_id, f1=0.95, **timed(0.35), score=0.3)
    end_search(engine, study_id)
    assert to_score(engine, study_id) == {better}
    end_scoring(engine, study_id, scored(better))
    assert (study_of(engine, study_id).state, study_of(engine, study_id).test_looks) == (StudyState.COMPLETED, 2)
    search_on(engine, study_id)
    end_search(engine, study_id)
    assert (study_of(engine, study_id).state, study_of(engine, study_id).test_looks) == (StudyState.COMPLETED, 2)


def test_a_cancelled_study_keeps_no_late_score(engine: Engine) -> None:
    study_id, made = searched_study(engine)
    scoring = queued_scoring(engine, study_id)
    assert scoring is not None
    with engine.begin() as connection:
        scorings.record_submission(connection, scoring.id, 0, 1)
        scorings.begin(connection, scoring.id)
    commands.cancel(engine, study_id)
    with pytest.raises(LeaseLostError), engine.begin() as connection:
        life_cycle.complete_scoring(connection, scoring.id, 1, scored(made["best"]))
    assert (study_of(engine, study_id).state, study_of(engine, study_id).test_looks) == (StudyState.CANCELLED, 0)
    assert f1_test_of(engine, made["best"]) is None


def test_a_study_that_searches_on_is_scored_when_it_ends_again(engine: Engine) -> None:
    study_id, made = searched_study(engine)
    search_on(engine, study_id)
    with engine.connect() as connection:
        assert list_tasks(connection) == []
    assert phase_of(engine, study_id) is StudyPhase.SEARCH
    end_search(engine, study_id)
    end_scoring(engine, study_id, scored(made["best"], made["recommended"]))
    assert (study_of(engine, study_id).state, study_of(engine, study_id).test_looks) == (StudyState.COMPLETED, 1)


def test_a_paused_study_is_not_scored(engine: Engine) -> None:
    study_id, _ = searched_study(engine)
    commands.pause(engine, study_id)
    with engine.connect() as connection:
        assert [task.may_run for task in list_tasks(connection)] == [False]


def test_a_study_that_was_paused_while_it_was_scored_trains_nothing_again(engine: Engine) -> None:
    study_id = make_study(engine, retrain={"top": 1}, compression=NO_COMPRESSION)
    trial_id = make_trial(engine, study_id)
    end_search(engine, study_id)
    with engine.connect() as connection:
        (training,) = trainings.of_trials(connection, [trial_id])[trial_id]
    complete(engine, training.id, (0.95,))
    commands.pause(engine, study_id)
    commands.resume(engine, study_id)
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.RUNNING)
    end_search(engine, study_id)
    with engine.connect() as connection:
        assert len(trainings.of_trials(connection, [trial_id])[trial_id]) == 1
    end_scoring(engine, study_id, scored(trial_id, weights=f"{1:064x}"))
    assert study_of(engine, study_id).state is StudyState.COMPLETED


def test_a_study_that_is_extended_while_it_is_paused_is_scored_when_it_ends_again(engine: Engine) -> None:
    study_id, _ = searched_study(engine)
    commands.pause(engine, study_id)
    commands.extend(engine, study_id, max_trials=40, max_minutes=None)
    assert (study_of(engine, study_id).state, phase_of(engine, study_id)) == (StudyState.PAUSED, StudyPhase.SEARCH)
    commands.resume(engine, study_id)
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.RUNNING)
    end_search(engine, study_id)
    assert queued_scoring(engine, study_id) is not None


def test_a_scoring_that_loses_every_job_ends_its_study_with_the_reason(engine: Engine) -> None:
    study_id, _ = searched_study(engine)
    scoring = queued_scoring(engine, study_id)
    assert scoring is not None
    for attempt in range(1, MAX_LOST + 1):
        with engine.begin() as connection:
            scorings.record_submission(connection, scoring.id, attempt - 1, attempt)
            scorings.begin(connection, scoring.id)
    with engine.begin() as connection:
        (step,) = plan([], {}, Capacity(searches=1, tasks=1, offers=()), tasks=list_tasks(connection))
        assert isinstance(step, GiveUpTask)
        HANDLERS[step.task.kind].fail(connection, step.task.row_id, "its job was lost 3 times in a row")
    study = study_of(engine, study_id)
    assert (study.state, study.test_looks) == (StudyState.COMPLETED, 0)
    assert study.test_reason == "its job was lost 3 times in a row"


def test_a_former_attempt_records_nothing(engine: Engine) -> None:
    study_id, made = searched_study(engine)
    scoring = queued_scoring(engine, study_id)
    assert scoring is not None
    with engine.begin() as connection:
        scorings.record_submission(connection, scoring.id, 0, 1)
        scorings.record_submission(connection, scoring.id, 1, 2)
    with pytest.raises(LeaseLostError), engine.begin() as connection:
        life_cycle.complete_scoring(connection, scoring.id, 1, scored(made["best"]))
    assert f1_test_of(engine, made["best"]) is None


def test_a_data_set_without_a_test_split_is_not_looked_at(engine: Engine) -> None:
    study_id, _ = searched_study(engine)
    end_scoring(engine, study_id)
    study = study_of(engine, study_id)
    assert (study.state, study.test_looks) == (StudyState.COMPLETED, 0)
    assert study.test_reason == "the data set has no test split"


def test_a_full_training_after_the_end_is_one_more_look(engine: Engine) -> None:
    study_id, made = searched_study(engine)
    end_scoring(engine, study_id, scored(made["best"], made["recommended"]))
    complete(engine, commands.train(engine, made["best"], epochs=3, seeds=1).id, (0.95,))
    assert f1_test_of(engine, made["best"]) is None
    scoring = queued_scoring(engine, study_id)
    assert scoring is not None
    assert scoring.trial_id == made["best"]
    of_former_weights = scored(made["best"])
    end_scoring(engine, study_id, of_former_weights)
    assert f1_test_of(engine, made["best"]) is None


def test_a_full_training_is_scored_by_its_weights(engine: Engine) -> None:
    study_id, made = searched_study(engine)
    end_scoring(engine, study_id, scored(made["best"], made["recommended"]))
    complete(engine, commands.train(engine, made["beaten"], epochs=3, seeds=1).id, (0.95,))
    end_scoring(engine, study_id, scored(made["beaten"], weights=f"{1:064x}"))
    assert f1_test_of(engine, made["beaten"]) == 0.8
    assert (study_of(engine, study_id).state, study_of(engine, study_id).test_looks) == (StudyState.COMPLETED, 2)


def test_a_training_that_ends_while_the_picks_are_scored_holds_the_end_up(engine: Engine) -> None:
    study_id, made = searched_study(engine)
    training_id = commands.train(engine, made["beaten"], epochs=3, seeds=1).id
    first = queued_scoring(engine, study_id)
    assert first is not None
    with engine.begin() as connection:
        scorings.record_submission(connection, first.id, 0, 1)
        scorings.begin(connection, first.id)
    complete(engine, training_id, (0.95,))
    with engine.begin() as connection:
        life_cycle.complete_scoring(connection, first.id, 1, scored(made["best"], made["recommended"]))
    assert study_of(engine, study_id).state is StudyState.RUNNING
    end_scoring(engine, study_id, scored(made["beaten"], weights=f"{1:064x}"))
    assert study_of(engine, study_id).state is StudyState.COMPLETED
