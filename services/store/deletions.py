"""SQL that deletes a study, and remembers that it did.

What lies outside the study's rows is noted in the same transaction: its files, to be removed once it has committed, and
its Ray jobs, to be stopped.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, text, union
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.states import UNFINISHED_JOB_STATES
from services.errors import DeletedError, NotFoundError
from services.records.deletions import DeletedStudy, Remains
from services.records.keys import KeyName
from services.records.studies import Study
from services.records.tasks import job_name
from services.store import events
from services.store.retention import FILE_COLUMNS
from services.store.tables import (
    OPTUNA_SCHEMA,
    artifacts,
    compression_jobs,
    deleted_files,
    deleted_studies,
    recipe_searches,
    studies,
    test_scorings,
    training_runs,
    trainings,
    trials,
)

#: The Ray jobs of a study that was deleted longer ago have ended.
_STRAY_MINUTES = 10
#: What Optuna's tables hold of a study, what refers to others first.
_OF_MIRRORED_TRIAL = (
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_heartbeats",
)
_OF_MIRRORED_STUDY = ("trials", "study_directions", "study_user_attributes", "study_system_attributes", "studies")


def find(connection: Connection, study_id: str) -> DeletedStudy | None:
    """What is left of the study with this id, if it was deleted."""
    return _latest(connection, deleted_studies.c.id == study_id)


def find_by_name(connection: Connection, name_or_id: str) -> DeletedStudy | None:
    """What is left of the study with this id, or of the last one deleted that had this name."""
    named = deleted_studies.c.name == name_or_id
    return find(connection, name_or_id) or _latest(connection, named)


def _latest(connection: Connection, condition: ColumnElement[bool]) -> DeletedStudy | None:
    query = select(deleted_studies).where(condition).order_by(deleted_studies.c.deleted_at.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else DeletedStudy.from_row(row)


def missing(connection: Connection, study_id: str) -> NotFoundError:
    """The error that says why there is no such study."""
    deleted = find(connection, study_id)
    return NotFoundError("study", study_id) if deleted is None else DeletedError(str(deleted))


def lock(connection: Connection, study_id: str) -> Study:
    """The study, locked with all that may be at work on it. NotFoundError, or DeletedError if it was deleted.

    Those who lease a job or begin a task lock its row, and refer to the study when they commit. Locking the study
    against references before their rows would deadlock with them.
    """
    query = select(studies).where(studies.c.id == study_id).with_for_update(key_share=True)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise missing(connection, study_id)
    for table in (compression_jobs, recipe_searches, trainings, test_scorings):
        connection.execute(select(table.c.id).where(table.c.study_id == study_id).with_for_update())
    return Study.from_row(row)


def remains(connection: Connection, study: Study) -> Remains:
    """What a study has outside its rows."""
    of_trials = artifacts.c.trial_id.in_(select(trials.c.id).where(trials.c.study_id == study.id))
    of_trainings = training_runs.c.training_id.in_(select(trainings.c.id).where(trainings.c.study_id == study.id))
    named = union(
        select(artifacts.c.sha256).where(of_trials),
        select(compression_jobs.c.weights_sha256).where(compression_jobs.c.study_id == study.id),
        select(recipe_searches.c.weights_sha256).where(recipe_searches.c.study_id == study.id),
        select(training_runs.c.weights_sha256).where(of_trainings),
    )
    files = set(connection.execute(named).scalars()) | {study.teacher_answers_sha256}
    training, scoring = _unfinished(connection, study.id, trainings), _unfinished(connection, study.id, test_scorings)
    tasks = [job_name(row_id, attempts) for row_id, attempts in {**training, **scoring}.items()]
    return Remains(
        files=sorted(sha256 for sha256 in files if sha256 is not None),
        ray_jobs=[*filter(None, [study.job_id]), *tasks],
        trainings=sorted(training),
    )


def _unfinished(connection: Connection, study_id: str, table: Table) -> dict[str, int]:
    """The numbers of attempts of a study's unfinished trainings or scorings by their ids."""
    query = select(table.c.id, table.c.attempts).where(table.c.study_id == study_id)
    rows = connection.execute(query.where(table.c.state.in_(UNFINISHED_JOB_STATES)))
    return {row.id: row.attempts for row in rows}


def delete_study(connection: Connection, study: Study, left: Remains, by: KeyName | None) -> None:
    """Delete a locked study with all that refers to it, and note what is left to be done."""
    note = {
        "id": study.id,
        "name": study.name,
        "deleted_by": None if by is None else by.as_json(),
        "ray_jobs": list(left.ray_jobs),
        "trainings": list(left.trainings),
    }
    connection.execute(insert(deleted_studies).values(note))
    if left.files:
        rows = [{"sha256": sha256} for sha256 in left.files]
        connection.execute(upsert(deleted_files).on_conflict_do_nothing(), rows)
    _delete_mirror(connection, study.id)
    connection.execute(delete(studies).where(studies.c.id == study.id))
    events.wake(connection, study.id)


def _delete_mirror(connection: Connection, study_id: str) -> None:
    """Delete the study from Optuna's tables, where they exist."""
    if connection.execute(text(f"SELECT to_regclass('{OPTUNA_SCHEMA}.studies')")).scalar() is None:
        return
    found = text(f"SELECT study_id FROM {OPTUNA_SCHEMA}.studies WHERE study_name = :name")
    mirrored = connection.execute(found, {"name": study_id}).scalar()
    ours = f"SELECT trial_id FROM {OPTUNA_SCHEMA}.trials WHERE study_id = :study_id"
    for table in _OF_MIRRORED_TRIAL:
        query = text(f"DELETE FROM {OPTUNA_SCHEMA}.{table} WHERE trial_id IN ({ours})")
        connection.execute(query, {"study_id": mirrored})
    for table in _OF_MIRRORED_STUDY:
        query = text(f"DELETE FROM {OPTUNA_SCHEMA}.{table} WHERE study_id = :study_id")
        connection.execute(query, {"study_id": mirrored})


def list_stray_jobs(connection: Connection) -> list[str]:
    """The Ray jobs of studies that were deleted a moment ago."""
    recent = deleted_studies.c.deleted_at > func.now() - text(f"interval '{_STRAY_MINUTES} minutes'")
    listed = connection.execute(select(deleted_studies.c.ray_jobs).where(recent)).scalars()
    return [job_id for jobs in listed for job_id in jobs]


def list_unneeded_files(connection: Connection) -> list[str]:
    """The SHA-256 of the files of deleted studies that no row names any more; the others are forgotten."""
    noted = select(deleted_files.c.sha256)
    needed = union(*(select(column).where(column.in_(noted)) for column in FILE_COLUMNS))
    connection.execute(delete(deleted_files).where(deleted_files.c.sha256.in_(needed)))
    return list(connection.execute(noted.order_by(deleted_files.c.sha256)).scalars())


def forget_files(connection: Connection, names: Collection[str]) -> None:
    """Note that these files were removed."""
    connection.execute(delete(deleted_files).where(deleted_files.c.sha256.in_(names)))


def deleted_trainings(connection: Connection, training_ids: Collection[str]) -> set[str]:
    """Which of these trainings were deleted with their studies."""
    with_trainings = func.jsonb_array_length(deleted_studies.c.trainings) > 0
    listed = connection.execute(select(deleted_studies.c.trainings).where(with_trainings)).scalars()
    return {training_id for trainings_of_one in listed for training_id in trainings_of_one} & set(training_ids)
