"""SQL of recipe searches: candidates whose recipes are searched, and what was tried for them."""

from sqlalchemy import Connection, and_, case, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.states import RECIPE_SEARCH_TRANSITIONS, RecipeSearchState, StudyState
from services.records.recipe_searches import RecipeSearch, TriedRecipe
from services.store.state_change import StateMachine, change_state
from services.store.tables import compression_jobs as jobs
from services.store.tables import recipe_searches as searches
from services.store.tables import studies, variants

#: A search is open until it has a ``finished_at``. Its end is told by the study's own events.
_STATES = StateMachine(
    noun="recipe search",
    table=searches,
    state=case((searches.c.finished_at.is_(None), RecipeSearchState.OPEN), else_=RecipeSearchState.ENDED),
    transitions=RECIPE_SEARCH_TRANSITIONS,
    terminal=(RecipeSearchState.ENDED,),
)


def add(connection: Connection, *, search_id: str, trial_id: str, study_id: str, weights_sha256: str) -> None:
    """Open the search of a candidate with these weights; idempotent."""
    values = {"id": search_id, "trial_id": trial_id, "study_id": study_id, "weights_sha256": weights_sha256}
    connection.execute(upsert(searches).values(**values).on_conflict_do_nothing())


def open_ones(connection: Connection) -> list[RecipeSearch]:
    """The searches that have not ended and whose studies are not paused, failed or cancelled, oldest first."""
    held_up = select(studies.c.id).where(
        studies.c.id == searches.c.study_id,
        studies.c.state.in_((StudyState.PAUSED, StudyState.FAILED, StudyState.CANCELLED)),
    )
    query = select(searches).where(searches.c.finished_at.is_(None), ~held_up.exists())
    rows = connection.execute(query.order_by(searches.c.created_at, searches.c.id)).mappings()
    return [RecipeSearch.from_row(row) for row in rows]


def is_open(connection: Connection, search_id: str) -> bool:
    query = select(searches.c.id).where(searches.c.id == search_id, searches.c.finished_at.is_(None))
    return connection.execute(query).scalar() is not None


def unfinished(connection: Connection, study_id: str) -> bool:
    """Whether a study has a search that has not ended."""
    query = select(searches.c.id).where(searches.c.study_id == study_id, searches.c.finished_at.is_(None))
    return connection.execute(query.limit(1)).scalar() is not None


def end(connection: Connection, search_id: str, *, reason: str) -> None:
    """End a search. ConflictError if it has ended already."""
    change_state(connection, _STATES, search_id, RecipeSearchState.ENDED, reason=reason)


def end_all(connection: Connection, study_id: str, *, reason: str) -> None:
    """End every open search of a study."""
    query = select(searches.c.id).where(searches.c.study_id == study_id, searches.c.finished_at.is_(None))
    for search_id in connection.execute(query.with_for_update()).scalars().all():
        end(connection, search_id, reason=reason)


def tried(connection: Connection, search: RecipeSearch, *, runtime: str) -> list[TriedRecipe]:
    """The jobs of a search's candidate and weights, oldest first, each with its variant for ``runtime``."""
    # Only what was timed on the study's target has a score.
    on_target = and_(variants.c.job_id == jobs.c.id, variants.c.runtime == runtime, variants.c.score.is_not(None))
    elapsed_s = func.extract("epoch", func.coalesce(jobs.c.finished_at, func.now()) - jobs.c.started_at)
    query = (
        select(
            jobs.c.recipe,
            jobs.c.state,
            func.coalesce(elapsed_s, 0.0).label("elapsed_s"),
            *(variants.c[name] for name in ("f1", "latency_ms", "latency")),
        )
        .select_from(jobs.outerjoin(variants, on_target))
        .where(jobs.c.trial_id == search.trial_id, jobs.c.weights_sha256 == search.weights_sha256)
    )
    rows = connection.execute(query.order_by(jobs.c.created_at, jobs.c.id)).mappings()
    return [TriedRecipe.from_row(row) for row in rows]


def of_trial(connection: Connection, trial_id: str) -> list[RecipeSearch]:
    """The searches of a trial, oldest first."""
    query = select(searches).where(searches.c.trial_id == trial_id).order_by(searches.c.id)
    return [RecipeSearch.from_row(row) for row in connection.execute(query).mappings()]
