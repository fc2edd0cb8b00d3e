"""The searches for recipes, carried on from the record alone: each step reads what was tried, and queues what is next.

Nothing of a search is kept anywhere else, so that a pool that is killed loses only what it was just running.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row

from search.contract.recipes import Recipe
from search.contract.states import UNFINISHED_JOB_STATES, JobState
from search.samplers.recipe_search import Evaluation, propose
from search.study.compression_spec import RecipeBudget
from search.study.spec import StudySpec
from services.store import jobs, recipe_searches, studies
from services.store.db import new_id
from services.studies import commands


def advance(engine: Engine, *, places: int) -> bool:
    """Keep up to ``places`` evaluations of all open searches queued or running, and end those whose budget is spent;
    whether any search is open.
    """
    with engine.connect() as connection:
        searches = recipe_searches.open_ones(connection)
    for search in searches:
        with engine.begin() as connection:
            study = studies.get(connection, search.study_id, lock=True)
            if recipe_searches.is_open(connection, search.id):
                spec = StudySpec.model_validate(study.spec)
                _advance(connection, search, spec, at_once=max(places // len(searches), 1))
    return bool(searches)


def _advance(connection: Connection, search: Row[Any], spec: StudySpec, *, at_once: int) -> None:
    rows = recipe_searches.tried(connection, search, runtime=spec.target.runtime)
    running = sum(row.state in UNFINISHED_JOB_STATES for row in rows)
    past, reason = [_evaluation(row) for row in rows], _spent(rows, spec.compression.search_budget)
    while reason is None and running < at_once:
        recipe = propose(past, seed=spec.sampler.seed)
        if recipe is None:
            reason = "nothing new was found in the space of recipes"
            break
        jobs.add(
            connection,
            job_id=new_id("job"),
            trial_id=search.trial_id,
            study_id=search.study_id,
            recipe=recipe.model_dump(mode="json"),
            weights_sha256=search.weights_sha256,
        )
        past.append(Evaluation(recipe=recipe, state=JobState.QUEUED))
        running += 1
        reason = _enough(len(past), spec.compression.search_budget)
    if reason is not None and not running:
        recipe_searches.end(connection, search.id, reason=reason)
        commands.go_on(connection, search.study_id)


def _spent(rows: Sequence[Row[Any]], budget: RecipeBudget) -> str | None:
    """Why nothing more is tried, or None."""
    if budget.max_minutes is not None and sum(row.taken_s for row in rows) >= 60 * budget.max_minutes:
        return f"the budget of {budget.max_minutes:g} minutes is used up"
    return _enough(len(rows), budget)


def _enough(tried: int, budget: RecipeBudget) -> str | None:
    return f"{tried} recipes were tried" if tried >= budget.evaluations else None


def _evaluation(row: Row[Any]) -> Evaluation:
    parent_ms = (row.latency or {}).get("parent_ms")
    return Evaluation(
        recipe=Recipe.model_validate(row.recipe),
        state=row.state,
        f1=row.f1,
        latency_share=row.latency_ms / parent_ms if row.latency_ms and parent_ms else None,
    )
