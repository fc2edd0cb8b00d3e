"""The search for recipes, carried on from the record alone."""

import pytest
from sqlalchemy import Engine, text, update

from search.contract.recipes import DEFAULT_RECIPES, StructuredPruning
from search.contract.states import JobState, StudyState
from services.store import jobs, studies, variants
from services.store.ids import new_id
from services.store.tables import compression_jobs
from services.studies import commands, life_cycle, recipe_searches
from tests.integration.records import METRICS, end_scoring, make_study, make_trial


def _study(engine: Engine, *, trials: int = 1, **budget: float) -> str:
    study_id = make_study(engine, compression={"recipes": "search", "budget": budget})
    for number in range(trials):
        make_trial(engine, study_id, f1=0.5 + 0.1 * number, latency_ms=1.0 + number)
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
    return study_id


def _run_next(engine: Engine, *, failed: bool = False) -> bool:
    """Lease a job and end it as a compressor would; whether there was one."""
    with engine.begin() as connection:
        job = jobs.lease(connection, "pool", lease_s=60)
    if job is None:
        return False
    done = job.read_recipe()
    ratio = sum(getattr(step, "ratio", 0.0) for step in done.steps)
    with engine.begin() as connection:
        life_cycle.hold_job(connection, job, "pool")
        if failed:
            life_cycle.end_job(connection, job, JobState.FAILED, reason="does not apply")
            return True
        values = {"id": new_id("variant"), "trial_id": job.trial_id, "job_id": job.id, "study_id": job.study_id}
        recipe = {"recipe": done.name, "steps": job.recipe["steps"]}
        where = {"runtime": "onnxruntime", "host": "a host", "latency": {"parent_ms": 0.4}}
        measured = {**METRICS, "f1": 0.9 - ratio**3, "latency_ms": 0.4 - 0.3 * ratio, "latency_low_ms": 0.0001}
        variants.add(connection, {**values, **recipe, **where, **measured, "latency_high_ms": 1.0})
        life_cycle.end_job(connection, job, JobState.COMPLETED)
    return True


def _state(engine: Engine, study_id: str) -> StudyState:
    with engine.connect() as connection:
        return StudyState(studies.get(connection, study_id).state)


def _recipes(engine: Engine, study_id: str) -> list[str]:
    query = compression_jobs.select().where(compression_jobs.c.study_id == study_id).order_by(compression_jobs.c.id)
    with engine.connect() as connection:
        return [row.recipe["name"] for row in connection.execute(query)]


def test_a_search_tries_the_default_recipes_then_its_own_and_the_study_ends_with_its_budget(engine: Engine) -> None:
    count = len(DEFAULT_RECIPES)
    study_id = _study(engine, evaluations=count + 2)
    assert _state(engine, study_id) is StudyState.RUNNING
    while recipe_searches.advance(engine, slots=1):
        _run_next(engine)
    end_scoring(engine, study_id)
    assert _state(engine, study_id) is StudyState.COMPLETED
    assert _recipes(engine, study_id) == [
        *(recipe.name for recipe in DEFAULT_RECIPES),
        *(f"search-{number:03d}" for number in (count + 1, count + 2)),
    ]


def test_candidates_get_equally_many_slots(engine: Engine) -> None:
    study_id = _study(engine, trials=2, evaluations=8)
    recipe_searches.advance(engine, slots=4)
    recipe_searches.advance(engine, slots=4)
    assert sorted(_recipes(engine, study_id)) == sorted(2 * [recipe.name for recipe in DEFAULT_RECIPES[:2]])


def test_recipes_that_do_not_apply_use_up_the_budget(engine: Engine) -> None:
    study_id = _study(engine, evaluations=7)
    while recipe_searches.advance(engine, slots=2):
        _run_next(engine, failed=True)
    end_scoring(engine, study_id)
    assert _state(engine, study_id) is StudyState.COMPLETED
    assert len(_recipes(engine, study_id)) == 7


def test_the_time_of_the_evaluations_may_be_limited(engine: Engine) -> None:
    study_id = _study(engine, max_minutes=0.5)
    recipe_searches.advance(engine, slots=1)
    _run_next(engine)
    with engine.begin() as connection:
        a_minute_ago = compression_jobs.c.started_at - text("interval '1 minute'")
        connection.execute(update(compression_jobs).values(started_at=a_minute_ago))
    assert recipe_searches.advance(engine, slots=1)
    end_scoring(engine, study_id)
    assert _state(engine, study_id) is StudyState.COMPLETED
    assert _recipes(engine, study_id) == ["fp32"]


def test_a_cancelled_study_is_searched_no_more(engine: Engine) -> None:
    study_id = _study(engine, evaluations=8)
    recipe_searches.advance(engine, slots=1)
    commands.cancel(engine, study_id)
    assert not recipe_searches.advance(engine, slots=1)
    assert _recipes(engine, study_id) == ["fp32"]


@pytest.mark.parametrize("slots", [1, 3])
def test_no_recipe_is_tried_twice_for_a_candidate(engine: Engine, slots: int) -> None:
    study_id = _study(engine, evaluations=14)
    while recipe_searches.advance(engine, slots=slots):
        _run_next(engine)
    names = _recipes(engine, study_id)
    assert len(names) == len(set(names)) == 14
    query = compression_jobs.select().where(compression_jobs.c.study_id == study_id)
    with engine.connect() as connection:
        tried = [str(row.recipe["steps"]) for row in connection.execute(query)]
    assert len(set(tried)) == 14
    assert sum(StructuredPruning().technique in steps for steps in tried) > 5
