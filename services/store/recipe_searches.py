"""SQL of recipe searches: candidates whose recipes are searched, and what was tried for them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.states import StudyState
from services.store.tables import compression_jobs as jobs
from services.store.tables import recipe_searches as searches
from services.store.tables import studies, variants


def add(connection: Connection, *, search_id: str, trial_id: str, study_id: str, weights_sha256: str) -> None:
    """Open the search of a candidate with these weights, once."""
    values = {"id": search_id, "trial_id": trial_id, "study_id": study_id, "weights_sha256": weights_sha256}
    connection.execute(upsert(searches).values(**values).on_conflict_do_nothing())


def open_ones(connection: Connection) -> Sequence[Row[Any]]:
    """The searches that have not ended and whose studies are neither paused nor cancelled, oldest first."""
    held_up = select(studies.c.id).where(
        studies.c.id == searches.c.study_id, studies.c.state.in_((StudyState.PAUSED, StudyState.CANCELLED))
    )
    query = select(searches).where(searches.c.finished_at.is_(None), ~held_up.exists())
    return connection.execute(query.order_by(searches.c.created_at, searches.c.id)).all()


def is_open(connection: Connection, search_id: str) -> bool:
    query = select(searches.c.id).where(searches.c.id == search_id, searches.c.finished_at.is_(None))
    return connection.execute(query).scalar() is not None


def unfinished(connection: Connection, study_id: str) -> bool:
    query = select(searches.c.id).where(searches.c.study_id == study_id, searches.c.finished_at.is_(None))
    return connection.execute(query.limit(1)).scalar() is not None


def end(connection: Connection, search_id: str, *, reason: str) -> None:
    _end(connection, searches.c.id == search_id, reason)


def end_all(connection: Connection, study_id: str, *, reason: str) -> None:
    """End every open search of a study."""
    _end(connection, searches.c.study_id == study_id, reason)


def _end(connection: Connection, which: ColumnElement[bool], reason: str) -> None:
    ending = update(searches).where(which, searches.c.finished_at.is_(None))
    connection.execute(ending.values(finished_at=func.now(), reason=reason))


def tried(connection: Connection, search: Row[Any], *, runtime: str) -> Sequence[Row[Any]]:
    """The jobs of a search's candidate and weights, oldest first: ``recipe``, ``state``, how many seconds each has
    taken, and ``f1``, ``latency_ms`` and ``latency`` of its variant on the study's target, if it has one.
    """
    # Only what was timed on the study's target has a score.
    on_target = and_(variants.c.job_id == jobs.c.id, variants.c.runtime == runtime, variants.c.score.is_not(None))
    taken_s = func.extract("epoch", func.coalesce(jobs.c.finished_at, func.now()) - jobs.c.started_at)
    query = (
        select(
            jobs.c.recipe,
            jobs.c.state,
            func.coalesce(taken_s, 0.0).label("taken_s"),
            *(variants.c[name] for name in ("f1", "latency_ms", "latency")),
        )
        .select_from(jobs.outerjoin(variants, on_target))
        .where(jobs.c.trial_id == search.trial_id, jobs.c.weights_sha256 == search.weights_sha256)
    )
    return connection.execute(query.order_by(jobs.c.created_at, jobs.c.id)).all()


def of_trial(connection: Connection, trial_id: str) -> Sequence[Row[Any]]:
    columns = [searches.c[name] for name in ("reason", "created_at", "finished_at")]
    return connection.execute(select(*columns).where(searches.c.trial_id == trial_id).order_by(searches.c.id)).all()
