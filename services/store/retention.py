"""SQL of what is let go of in time."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, text, union

from services.store.tables import (
    artifacts,
    compression_jobs,
    events,
    recipe_searches,
    studies,
    training_runs,
    trainings,
)

#: A curve keeps its last epoch, the powers of two, and about so many others.
KEPT_EPOCHS = 32


def ended_before(connection: Connection, days: float) -> Sequence[Row[Any]]:
    """The studies, locked, that ended more than so many days ago."""
    limit = func.now() - text("make_interval(secs => :seconds)").bindparams(seconds=86_400 * days)
    query: Select[Any] = select(studies.c.id, studies.c.spec).where(studies.c.finished_at < limit)
    return connection.execute(query.order_by(studies.c.id).with_for_update()).all()


def in_use(connection: Connection, study_id: str) -> set[str]:
    """The trials of a study that were compressed or trained in full, or wait for it."""
    parts = [select(table.c.trial_id).where(table.c.study_id == study_id) for table in _USERS]
    return set(connection.execute(union(*parts)).scalars())


_USERS = (compression_jobs, recipe_searches, trainings)


def drop_weights(connection: Connection, trial_ids: Collection[str]) -> int:
    """Forget the weights of trials, and what else is theirs alone; how many weights there were."""
    mine = artifacts.c.trial_id.in_(trial_ids) & artifacts.c.variant_id.is_(None)
    dropped = connection.execute(delete(artifacts).where(mine).returning(artifacts.c.kind)).scalars()
    return sum(kind == "weights" for kind in dropped)


def thin_epochs(connection: Connection, study_id: str, *, kept: Collection[str]) -> int:
    """Thin the curves of a study's trials but the ``kept`` ones; how many epochs went."""
    query = text("""
        WITH curves AS (
            SELECT trial_id, max(epoch) AS last FROM seedleaf.epochs JOIN seedleaf.trials ON trials.id = trial_id
            WHERE study_id = :study_id AND trial_id <> ALL(:kept) GROUP BY trial_id HAVING max(epoch) > :most
        )
        DELETE FROM seedleaf.epochs USING curves
        WHERE epochs.trial_id = curves.trial_id AND epoch <> last AND epoch & (epoch - 1) <> 0
        AND epoch % ceil(last::float / :most)::int <> 0
    """)
    values = {"study_id": study_id, "kept": list(kept), "most": KEPT_EPOCHS}
    return connection.execute(query, values).rowcount


def drop_epoch_events(connection: Connection, study_id: str) -> int:
    """Forget the events by which a study's epochs were told as they happened; how many there were."""
    told = (events.c.study_id == study_id) & (events.c.kind == "epoch")
    return connection.execute(delete(events).where(told)).rowcount


def named_files(connection: Connection) -> set[str]:
    """The sha256 of every file that some row names."""
    columns = (
        artifacts.c.sha256,
        compression_jobs.c.weights_sha256,
        recipe_searches.c.weights_sha256,
        training_runs.c.weights_sha256,
    )
    return set(connection.execute(union(*(select(column) for column in columns))).scalars())
