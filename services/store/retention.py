"""SQL that deletes what ended studies need no more."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, func, select, text, union

from services.records.studies import Study
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
#: Every column that names a file by its sha256.
FILE_COLUMNS = (
    artifacts.c.sha256,
    compression_jobs.c.weights_sha256,
    recipe_searches.c.weights_sha256,
    training_runs.c.weights_sha256,
    studies.c.teacher_answers_sha256,
)


def lock_ended_studies(connection: Connection, days: float) -> list[Study]:
    """Lock the studies that ended more than so many days ago."""
    limit = func.now() - text("make_interval(secs => :seconds)").bindparams(seconds=86_400 * days)
    query = select(studies).where(studies.c.finished_at < limit).order_by(studies.c.id).with_for_update()
    return [Study.from_row(row) for row in connection.execute(query).mappings()]


def list_used_trials(connection: Connection, study_id: str) -> set[str]:
    """The trials of a study that were compressed or trained in full, or wait for it."""
    parts = [select(table.c.trial_id).where(table.c.study_id == study_id) for table in _USERS]
    return set(connection.execute(union(*parts)).scalars())


_USERS = (compression_jobs, recipe_searches, trainings)


def delete_artifacts(connection: Connection, trial_ids: Collection[str]) -> int:
    """Delete the trials' own artifacts, those of their variants left out; returns how many weights there were."""
    own = artifacts.c.trial_id.in_(trial_ids) & artifacts.c.variant_id.is_(None)
    kinds = connection.execute(delete(artifacts).where(own).returning(artifacts.c.kind)).scalars()
    return sum(kind == "weights" for kind in kinds)


def thin_epochs(connection: Connection, study_id: str, *, kept: Collection[str]) -> int:
    """Thin the curves of a study's trials but the ``kept`` ones; returns how many epochs were deleted."""
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


def delete_epoch_events(connection: Connection, study_id: str) -> int:
    """Delete the events of a study's epochs; returns how many there were."""
    of_epochs = (events.c.study_id == study_id) & (events.c.kind == "epoch")
    return connection.execute(delete(events).where(of_epochs)).rowcount


def list_files(connection: Connection) -> set[str]:
    """The sha256 of every file that a row refers to."""
    return set(connection.execute(union(*(select(column) for column in FILE_COLUMNS))).scalars())
