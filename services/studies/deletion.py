"""Deletes a study with everything that it made; and removes its files, after that was committed."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from services.errors import ConflictError, DeletedError
from services.records.keys import KeyName
from services.storage.artifacts import ArtifactStore
from services.storage.retention import GRACE_S
from services.store import deletions


@dataclass(frozen=True, kw_only=True)
class Swept:
    """``files`` and ``checkpoints`` (folders of trainings) were removed; ``waiting`` files are too young to go."""

    files: int
    checkpoints: int
    waiting: int


def delete(engine: Engine, study_id: str, *, by: KeyName | None = None) -> None:
    """Delete an ended study with its trials, variants, jobs, trainings, events and answers of its teacher.

    Its files are removed by ``sweep``. Nothing happens if it was deleted before. ConflictError if it has not ended;
    NotFoundError if there never was such a study.
    """
    with engine.begin() as connection:
        try:
            study = deletions.lock(connection, study_id)
        except DeletedError:
            return
        if study.finished_at is None:
            raise ConflictError(f"study {study_id} is {study.state}: cancel it first, then delete it")
        deletions.delete_study(connection, study, deletions.remains(connection, study), by)


def sweep(engine: Engine, artifacts: ArtifactStore, checkpoints: Path, *, grace_s: float = GRACE_S) -> Swept:
    """Remove the files of deleted studies that nothing else uses, and the checkpoints of their trainings.

    It may be killed at any moment: what is left is removed the next time. A file is stored before a row names it, so
    younger ones than ``grace_s`` wait: another study may be about to name the same content. StorageError where the
    storage does not answer.
    """
    with engine.begin() as connection:
        unneeded = deletions.list_unneeded_files(connection)
    removed = []
    for name in unneeded:
        if artifacts.age_s(name) >= grace_s:
            artifacts.remove([name])
            removed.append(name)
    with engine.begin() as connection:
        deletions.forget_files(connection, removed)
    folders = _checkpoints_of_deleted(engine, checkpoints)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return Swept(files=len(removed), checkpoints=len(folders), waiting=len(unneeded) - len(removed))


def _checkpoints_of_deleted(engine: Engine, checkpoints: Path) -> list[Path]:
    """The folders of trainings that were deleted with their studies."""
    folders = [path for path in checkpoints.iterdir() if path.is_dir()] if checkpoints.is_dir() else []
    if not folders:
        return []
    with engine.connect() as connection:
        gone = deletions.deleted_trainings(connection, [path.name for path in folders])
    return [path for path in folders if path.name in gone]
