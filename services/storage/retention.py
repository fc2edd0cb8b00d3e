"""Deletes weights and detailed curves of dominated trials, the events of epochs, and files that no row refers to.

Only trials of ended studies lose anything: those that another trial dominates in the objectives, whose f1 is not the
study's best, and that were neither compressed nor trained in full. Row, metrics and choices stay, so that a trial can
be run again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from search.pareto import front, losses_of
from search.study.spec import StudySpec
from services.records.trials import MeasuredTrial
from services.storage.artifacts import ArtifactStore
from services.store import retention, trials

#: A file is stored before the row that refers to it: younger files are kept.
GRACE_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Collected:
    """How much was deleted, or would be: ``weights`` of trials, ``epochs`` of curves, ``events`` of epochs, and
    ``files`` with their ``size_bytes``, those that a writer left unfinished included.
    """

    weights: int
    epochs: int
    events: int
    files: int
    size_bytes: int


def collect(
    engine: Engine, artifacts: ArtifactStore, *, older_than_days: float, dry_run: bool, grace_s: float = GRACE_S
) -> Collected:
    """Delete what studies that ended so long ago need no more, first rows, then files; or only count it."""
    with engine.connect() as connection, connection.begin() as transaction:
        weights = epochs = events = 0
        for study in retention.lock_ended_studies(connection, older_than_days):
            completed = trials.list_measured(connection, study.id)
            kept = _best(study.spec, completed) | retention.list_used_trials(connection, study.id)
            dominated = [trial.id for trial in completed if trial.id not in kept]
            weights += retention.delete_artifacts(connection, dominated)
            epochs += retention.thin_epochs(connection, study.id, kept=kept)
            events += retention.delete_epoch_events(connection, study.id)
        referenced = retention.list_files(connection)
        if dry_run:
            transaction.rollback()
    # The folder is listed after the rows were read: a file that a row has referred to since then is too young to go.
    orphans = {name: size for name, size in artifacts.files(older_than_s=grace_s) if name not in referenced}
    if not dry_run:
        artifacts.remove(orphans)
    size_bytes = sum(orphans.values())
    return Collected(weights=weights, epochs=epochs, events=events, files=len(orphans), size_bytes=size_bytes)


def _best(spec: StudySpec, completed: Sequence[MeasuredTrial]) -> set[str]:
    """The trials of the front, and the one of the best f1, which teaches others."""
    if not completed:
        return set()
    on_front = front(losses_of(spec.objectives, [trial.metrics for trial in completed]))
    best = max(completed, key=lambda trial: trial.metrics["f1"])
    return {completed[index].id for index in on_front} | {best.id}
