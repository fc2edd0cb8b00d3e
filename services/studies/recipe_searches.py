"""The searches for recipes. Each step reads from the record what was tried and queues what comes next.

No other state is kept, so a pool that is killed loses only the job that it was running.
"""

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Connection, Engine

from search.contract.recipes import Recipe
from search.contract.states import UNFINISHED_JOB_STATES, JobState
from search.samplers.recipe_search import Evaluation, propose
from search.study.compression_spec import RecipeBudget
from search.study.spec import StudySpec
from services.errors import DeletedError
from services.records.recipe_searches import RecipeSearch, TriedRecipe
from services.store import jobs, recipe_searches, studies
from services.store.ids import new_id
from services.studies import life_cycle


def advance(engine: Engine, *, slots: int) -> bool:
    """Keep up to ``slots`` evaluations of all open searches queued or running, and end those whose budget is used up.

    Whether any search was open.
    """
    with engine.connect() as connection:
        searches = recipe_searches.open_ones(connection)
    for search in searches:
        with suppress(DeletedError), engine.begin() as connection:
            study = studies.get(connection, search.study_id, lock=True)
            if recipe_searches.is_open(connection, search.id):
                _advance(connection, search, study.spec, at_once=max(slots // len(searches), 1))
    return bool(searches)


def _advance(connection: Connection, search: RecipeSearch, spec: StudySpec, *, at_once: int) -> None:
    tried, budget = (
        recipe_searches.tried(connection, search, runtime=spec.target.runtime),
        spec.compression.search_budget,
    )
    running = sum(recipe.state in UNFINISHED_JOB_STATES for recipe in tried)
    past, reason = [_evaluation(recipe) for recipe in tried], _used_up(tried, budget)
    while reason is None and running < at_once:
        recipe = propose(past, seed=spec.sampler.seed)
        if recipe is None:
            reason = "nothing new was found in the space of recipes"
            break
        _queue(connection, search, recipe)
        past.append(Evaluation(recipe=recipe, state=JobState.QUEUED))
        running += 1
        reason = _enough(len(past), budget)
    if reason is not None and not running:
        recipe_searches.end(connection, search.id, reason=reason)
        life_cycle.advance(connection, search.study_id)


def _queue(connection: Connection, search: RecipeSearch, recipe: Recipe) -> None:
    jobs.add(
        connection,
        job_id=new_id("job"),
        trial_id=search.trial_id,
        study_id=search.study_id,
        recipe=recipe.model_dump(mode="json"),
        weights_sha256=search.weights_sha256,
    )


def _used_up(tried: Sequence[TriedRecipe], budget: RecipeBudget) -> str | None:
    """Why nothing more is tried, or None."""
    if budget.max_minutes is not None and sum(recipe.elapsed_s for recipe in tried) >= 60 * budget.max_minutes:
        return f"the budget of {budget.max_minutes:g} minutes is used up"
    return _enough(len(tried), budget)


def _enough(tried: int, budget: RecipeBudget) -> str | None:
    return f"{tried} recipes were tried" if tried >= budget.evaluations else None


def _evaluation(tried: TriedRecipe) -> Evaluation:
    return Evaluation(
        recipe=tried.recipe,
        state=tried.state,
        f1=tried.f1,
        latency_share=tried.latency_ms / tried.parent_ms if tried.latency_ms and tried.parent_ms else None,
    )
