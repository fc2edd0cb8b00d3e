"""What is let go of in time: weights and finer curves of beaten trials, news of epochs, and files that no row names.

A trial of an ended study is beaten when others are as good in every objective and better in one, its f1 is not the
study's best, and it was neither compressed nor trained in full. Its row, metrics and choices stay: it can be run again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row

from search.pareto import front, losses_of
from search.study.spec import StudySpec
from services.storage.artifacts import ArtifactStore
from services.store import retention, trials

#: A file is stored before the row that names it: younger ones are left alone.
GRACE_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Collected:
    """How much went, or would go: ``weights`` of trials, ``epochs`` of curves and the ``events`` that told of epochs,
    ``files`` and their ``size_bytes``; what a writer has left unfinished is among them.
    """

    weights: int
    epochs: int
    events: int
    files: int
    size_bytes: int


def collect(
    engine: Engine, artifacts: ArtifactStore, *, older_than_days: float, dry_run: bool, grace_s: float = GRACE_S
) -> Collected:
    """Let go of what studies that ended so long ago need no more, rows first and then files; or only count it."""
    with engine.connect() as connection, connection.begin() as transaction:
        weights = epochs = events = 0
        for study in retention.ended_before(connection, older_than_days):
            completed = trials.measured(connection, study.id)
            kept = _best(StudySpec.model_validate(study.spec), completed) | retention.in_use(connection, study.id)
            beaten = [trial.id for trial in completed if trial.id not in kept]
            weights += retention.drop_weights(connection, beaten)
            epochs += retention.thin_epochs(connection, study.id, kept=kept)
            events += retention.drop_epoch_events(connection, study.id)
        named = retention.named_files(connection)
        if dry_run:
            transaction.rollback()
    # Looked for after the names: a file that has got its name since then was written since then.
    unnamed = {name: size for name, size in artifacts.files(older_than_s=grace_s) if name not in named}
    if not dry_run:
        artifacts.remove(unnamed)
    size_bytes = sum(unnamed.values())
    return Collected(weights=weights, epochs=epochs, events=events, files=len(unnamed), size_bytes=size_bytes)


def _best(spec: StudySpec, completed: Sequence[Row[Any]]) -> set[str]:
    """The trials of the front, and the one of the best f1, which teaches others."""
    if not completed:
        return set()
    on_front = front(losses_of(spec.objectives, [trial._asdict() for trial in completed]))
    best = max(completed, key=lambda trial: trial.f1)
    return {completed[index].id for index in on_front} | {best.id}
